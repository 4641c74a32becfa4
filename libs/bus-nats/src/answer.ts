import type { ByteStream, Content, Message, Named, Operation } from '@edgesync/bus-contract';
import type { Storage } from '@edgesync/ports';

/** A request with everything that belongs to it. */
export interface Request {
  readonly database: string;
  readonly payload: unknown;
  /** Holds the bodies. */
  readonly message: Message;
  readonly idempotencyKey?: string;
  /** Content that arrives in chunks. */
  readonly upload?: AsyncIterable<Uint8Array>;
}

/** A reply: a message, or the one body of a message that is too large to be made whole. */
export type Result = Content | ByteStream;

/** Carries out a request of an operation on the storage that owns the database. */
export async function answer(operation: Named<Operation>, storage: Storage, request: Request): Promise<Result> {
  const { database, payload, message, idempotencyKey, upload } = request;
  const decoded = operation.request.decode({ operation: operation.name, database, meta: payload, message });
  const context = { database, idempotencyKey, content: upload ?? message.rest() };
  if (operation.kind === 'bytes') return operation.call(storage, decoded, context);
  return operation.reply.encode(await operation.call(storage, decoded, context));
}
