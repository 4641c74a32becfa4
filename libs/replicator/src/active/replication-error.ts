import type { BlipErrorInfo } from '@edgesync/blip';

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
