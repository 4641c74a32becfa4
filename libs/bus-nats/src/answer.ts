import {
  encodeMessage,
  ErrorReply,
  FLAG_LAST,
  frameMessage,
  MessageKind,
  type ByteStream,
  type CallContext,
  type Content,
  type Message,
  type Named,
  type Operation,
  type StorageOwner,
  type StreamOperation,
} from '@edgesync/bus-contract';
import { EdgeError, isEdgeError } from '@edgesync/errors';

/** A request with everything that belongs to it. */
export interface Request {
  readonly database: string;
  readonly payload: unknown;
  /** Holds the bodies. */
  readonly message: Message;
  readonly idempotencyKey?: string;
  /** Content that arrives in chunks. */
  readonly upload?: AsyncIterable<Uint8Array>;
  /** See {@link CallContext.signal}. */
  readonly signal?: AbortSignal;
  /** To be called with errors of a stream that are not the caller's. */
  readonly report: (error: unknown) => void;
}

/** A reply: a message, the one body of a message that is too large to be made whole, or a stream of messages. */
export type Result = Content | ByteStream | FrameStream;

export interface FrameStream {
  /** Ends with an error of the operation, which is one of the messages. */
  readonly frames: AsyncIterable<Uint8Array>;
}

/** Carries out a request of an operation on the storage that owns the database. */
export async function answer(operation: Named<Operation>, storage: StorageOwner, request: Request): Promise<Result> {
  const { database, payload, message, idempotencyKey, upload, signal } = request;
  const decoded = operation.request.decode({ operation: operation.name, database, meta: payload, message });
  const context = { database, idempotencyKey, content: upload ?? message.rest(), signal };
  switch (operation.kind) {
    case 'value':
      return operation.reply.encode(await operation.call(storage, decoded, context));
    case 'bytes':
      return operation.call(storage, decoded, context);
    case 'stream':
      return { frames: framesOf(operation, storage, decoded, context, request.report) };
  }
}

/** Begins when the first frame is asked for: by then the caller knows that it is being served. */
async function* framesOf(
  operation: StreamOperation<unknown, unknown, unknown>,
  storage: StorageOwner,
  request: unknown,
  context: CallContext,
  report: (error: unknown) => void,
): AsyncGenerator<Uint8Array, void, undefined> {
  const { item, end } = operation;
  const frame = ({ meta, bodies }: Content, version: number, flags = 0): Uint8Array =>
    frameMessage(encodeMessage(MessageKind.reply, version, meta, bodies, flags));
  try {
    const stream = await operation.call(storage, request, context);
    for await (const each of stream.items) yield frame(item.encode(each), item.version);
    yield frame(end.encode(stream.end()), end.version, FLAG_LAST);
  } catch (error) {
    const reply = toReply(error, report);
    yield frameMessage(encodeMessage(MessageKind.fault, ErrorReply.version, reply));
  }
}

/** The reply to a request that failed. An error that its caller can do nothing about, or that has a cause, is reported. */
export function toReply(error: unknown, report: (error: unknown) => void): ErrorReply {
  const known = isEdgeError(error) ? error : new EdgeError('internal', undefined, { cause: error });
  if (known.status >= 500 && (known.status !== 503 || known.cause !== undefined)) report(error);
  return ErrorReply.of(known);
}
