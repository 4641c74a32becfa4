import {
  checkPayloadVersion,
  ErrorReply,
  FLAG_LAST,
  MessageKind,
  readFrames,
  type Message,
  type StreamOperation,
} from '@edgesync/bus-contract';
import { EdgeError } from '@edgesync/errors';
import { toEdgeError } from './caller.js';
import type { ChunkReceiver } from './chunk-receiver.js';

/** The items of a stream operation on their way from the owner. */
export class ItemStream<Request, Item, End> implements AsyncIterable<Item> {
  /** Set when the items have ended by themselves. */
  end: End | undefined;
  private readonly messages: AsyncIterator<Message>;
  /** An item that was looked at before it was taken. */
  private first: IteratorResult<Message> | undefined;

  constructor(
    private readonly operation: StreamOperation<Request, Item, End>,
    private readonly request: Request,
    private readonly database: string,
    private readonly chunks: ChunkReceiver,
    private readonly signal: AbortSignal | undefined,
  ) {
    this.messages = readFrames(chunks)[Symbol.asyncIterator]();
    signal?.addEventListener('abort', this.abort);
    if (signal?.aborted) this.abort();
  }

  /** Resolves when the first item, or the end, has arrived. @throws an error in its place */
  async begin(): Promise<this> {
    try {
      this.first = await this.messages.next();
      if (!this.first.done) throwIfError(this.first.value);
      return this;
    } catch (error) {
      this.cancel();
      this.signal?.throwIfAborted();
      throw error;
    }
  }

  async *[Symbol.asyncIterator](): AsyncGenerator<Item, void, undefined> {
    try {
      for (;;) {
        const next = this.first ?? (await this.messages.next());
        this.first = undefined;
        this.signal?.throwIfAborted();
        if (next.done) throw new EdgeError('bus.invalid', 'a stream has no end');
        const message = next.value;
        throwIfError(message);
        if ((message.flags & FLAG_LAST) !== 0) {
          this.end = this.read(this.operation.end, message);
          return;
        }
        yield this.read(this.operation.item, message);
      }
    } catch (error) {
      throw toEdgeError(error as Error, this.database);
    } finally {
      this.cancel();
    }
  }

  /** Nobody takes items any more. Does nothing if they have ended. */
  cancel(): void {
    this.signal?.removeEventListener('abort', this.abort);
    this.chunks.cancel();
  }

  private readonly abort = (): void => this.chunks.fail(this.signal!.reason as Error);

  private read<T>(codec: StreamOperation<Request, T, T>['item'], message: Message): T {
    checkPayloadVersion('an item of a stream', message.version, codec.version);
    return codec.decode(message, this.request);
  }
}

function throwIfError(message: Message): void {
  if (message.kind === MessageKind.fault) throw ErrorReply.parse(message.meta).toError();
}
