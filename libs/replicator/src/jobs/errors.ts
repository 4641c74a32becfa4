import { errorReplyOf, type BlipErrorInfo } from '@edgesync/blip';
import { isEdgeError } from '@edgesync/errors';
import { isTransient } from '@edgesync/sync-protocol';

/** Whether what failed may work later: storage is away, the write queue is full, a clock is ahead. */
export function isTemporary(error: unknown): boolean {
  return isEdgeError(error) && isTransient(errorReplyOf(error));
}

/** Whether what failed was refused by a rule and will be again. What fails unexpectedly is no refusal. */
export function isRefusal(error: unknown): boolean {
  return isEdgeError(error) && !isTemporary(error);
}

/** Whether it is worth waiting a moment for, rather than seconds. */
export function passesSoon(error: unknown): boolean {
  return isEdgeError(error, 'storage.busy') || isEdgeError(error, 'server.overloaded');
}

/** The server refused something without which the replication cannot go on. */
export class ReplicationError extends Error {
  override readonly name = 'ReplicationError';

  constructor(
    readonly info: BlipErrorInfo,
    /** The message that was refused. */
    readonly profile: string,
  ) {
    super(`${profile} was refused: ${info.domain}/${info.code} ${info.message}`);
  }
}
