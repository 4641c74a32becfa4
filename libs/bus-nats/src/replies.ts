import {
  encodeMessage,
  encodePieces,
  ErrorReply,
  FLAG_STREAMED,
  MessageKind,
  surelyExceeds,
  type Content,
} from '@edgesync/bus-contract';
import { EdgeError } from '@edgesync/errors';
import { toReply, type Result } from './answer.js';
import type { Bus } from './bus.js';
import { ChunkSender } from './chunk-sender.js';
import { Semaphore } from '@edgesync/async';
import type { ReplyInbox } from './reply-inbox.js';
import { CHUNK_BYTES, SERVER_STREAMS } from './tuning.js';

/** Sends answers: as one message where that is possible, otherwise in chunks. */
export class Replies {
  private readonly streams = new Semaphore({ running: SERVER_STREAMS, waiting: 0 });

  constructor(
    private readonly bus: Bus,
    private readonly inbox: ReplyInbox,
    private readonly report: (error: unknown) => void,
  ) {}

  /**
   * Resolves when the answer is sent, or its sending has begun if it is sent in chunks.
   * @param version of the payload
   * @param onEnd called when nothing more is sent: with an error if the receiver has gone
   * @throws EdgeError `server.overloaded`
   */
  async send(
    replyTo: string,
    version: number,
    result: Result,
    onEnd: (error?: unknown) => void = () => undefined,
  ): Promise<void> {
    if ('frames' in result) return this.stream(replyTo, version, (sender) => sender.sendPieces(result.frames), onEnd);
    if ('bytes' in result) return this.sendBytes(replyTo, version, result.bytes, result.length);
    const limit = this.bus.maxMessage;
    if (surelyExceeds(result, limit))
      return this.sendLarge(replyTo, version, encodePieces(MessageKind.reply, version, result));
    const bytes = write(version, result);
    if (bytes.byteLength <= limit) this.bus.publish(replyTo, bytes);
    else this.sendLarge(replyTo, version, [bytes]);
  }

  /** Answers with a fault; one that no caller is at fault for is reported, too. */
  refuse(replyTo: string, error: unknown): void {
    const reply = toReply(error, this.report);
    this.bus.publish(replyTo, encodeMessage(MessageKind.fault, ErrorReply.version, reply));
  }

  /** Resolves when no large answer is on its way. */
  idle(): Promise<void> {
    return this.streams.idle();
  }

  private async sendBytes(
    replyTo: string,
    version: number,
    source: AsyncIterable<Uint8Array>,
    length: number,
  ): Promise<void> {
    if (length > Math.min(CHUNK_BYTES, this.bus.maxMessage)) return this.sendLarge(replyTo, version, source);
    const pieces: Uint8Array[] = [];
    for await (const piece of source) pieces.push(piece);
    this.bus.publish(replyTo, write(version, { meta: undefined, bodies: [Buffer.concat(pieces)] }));
  }

  private sendLarge(replyTo: string, version: number, source: Iterable<Uint8Array> | AsyncIterable<Uint8Array>): void {
    this.stream(replyTo, version, (sender) => sender.send(source));
  }

  private stream(
    replyTo: string,
    version: number,
    send: (sender: ChunkSender) => Promise<void>,
    onEnd: (error?: unknown) => void = () => undefined,
  ): void {
    const transfer = async (): Promise<void> => {
      const sender = new ChunkSender((bytes) => this.bus.publish(replyTo, bytes), onEnd);
      const address = this.inbox.create({
        message: (message) => sender.accept(message),
        unreadable: (error) => sender.fail(error),
        disconnected: () => sender.fail(new EdgeError('storage.unavailable', 'the connection was lost')),
      });
      try {
        const head = encodeMessage(MessageKind.reply, version, undefined, [], FLAG_STREAMED);
        this.bus.publish(replyTo, head, address.subject);
        await send(sender);
      } finally {
        address.close();
        onEnd();
      }
    };
    this.streams.run(transfer).catch((error: unknown) => this.broke(replyTo, error));
  }

  /** The receiver of a transfer that was cut short tries again by itself; only faults of ours are worth a word. */
  private broke(replyTo: string, error: unknown): void {
    if (error instanceof EdgeError && error.code === 'server.overloaded')
      return this.bus.publish(
        replyTo,
        encodeMessage(MessageKind.fault, 1, { code: error.code, reason: 'too many large answers at a time' }),
      );
    if (!(error instanceof EdgeError && error.code === 'storage.unavailable')) this.report(error);
  }
}

const write = (version: number, { meta, bodies }: Content): Uint8Array =>
  encodeMessage(MessageKind.reply, version, meta, bodies);
