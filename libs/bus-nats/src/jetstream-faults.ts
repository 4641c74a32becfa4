import { JetStreamApiCodes, JetStreamApiError } from '@nats-io/jetstream';

/** Whether an entry had another revision than it was thought to have. */
export function isWrongRevision(error: unknown): boolean {
  return (
    error instanceof JetStreamApiError &&
    (error.code === JetStreamApiCodes.StreamWrongLastSequence ||
      error.code === JetStreamApiCodes.StreamWrongLastSequenceUnknown)
  );
}

/** Insufficient resources: of the account, of the server, memory of the server. */
const RESOURCES: ReadonlySet<number> = new Set([10_002, 10_023, 10_028]);

/** Whether NATS has no room for what was to be stored. */
export function isOutOfRoom(error: unknown): boolean {
  return error instanceof JetStreamApiError && RESOURCES.has(error.code);
}

/** Whether there is no such bucket. */
export function isMissingBucket(error: unknown): boolean {
  return error instanceof JetStreamApiError && error.code === JetStreamApiCodes.StreamNotFound;
}
