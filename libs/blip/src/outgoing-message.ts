import { NO_BYTES } from './byte-pool.js';
import { WINDOW_BYTES } from './limits.js';
import type { PayloadSource } from './frame-encoder.js';
import { FrameFlag, MessageType, type OutgoingBody, type ReplyInit, type RequestInit } from './message.js';
import { Properties } from './properties.js';

/** A message on its way out: what is left of its payload, and what the peer has acknowledged. */
export class OutgoingMessage implements PayloadSource {
  /** Bytes after the frame headers that were sent. */
  sentBytes = 0;
  /** Of those, bytes that the peer has acknowledged. */
  ackedBytes = 0;
  /** Payload bytes that can be sent now. */
  availableBytes: number;
  /** Whether {@link availableBytes} is all that will ever come. */
  complete: boolean;

  private readonly source: AsyncIterator<Uint8Array> | undefined;
  private piece: Uint8Array;
  private pieceAt = 0;
  private nextPiece: Uint8Array;

  constructor(
    readonly number: number,
    /** Type and flags for every frame, without `compressed` and `moreComing`. */
    readonly flags: number,
    /** Whether the sender of the message thinks it worth compressing. */
    readonly compressible: boolean,
    /** The encoded properties with their length. */
    head: Uint8Array,
    body: OutgoingBody = NO_BYTES,
  ) {
    this.piece = head;
    if (body instanceof Uint8Array) {
      this.nextPiece = body;
      this.complete = true;
    } else {
      this.nextPiece = NO_BYTES;
      this.source = body[Symbol.asyncIterator]();
      this.complete = false;
    }
    this.availableBytes = head.length + this.nextPiece.length;
  }

  get isUrgent(): boolean {
    return (this.flags & FrameFlag.urgent) !== 0;
  }

  get isRequest(): boolean {
    return (this.flags & FrameFlag.typeMask) === MessageType.request;
  }

  get isStarted(): boolean {
    return this.sentBytes > 0;
  }

  /** Whether the next frame must wait for an ACK. */
  get isWindowFull(): boolean {
    return this.sentBytes - this.ackedBytes >= WINDOW_BYTES;
  }

  /** Whether the next frame must wait for the source of the body. */
  get isStarved(): boolean {
    return this.availableBytes === 0 && !this.complete;
  }

  takeInto(target: Uint8Array, at: number, count: number): void {
    this.availableBytes -= count;
    while (count > 0) {
      const left = this.piece.length - this.pieceAt;
      if (left === 0) {
        this.piece = this.nextPiece;
        this.pieceAt = 0;
        this.nextPiece = NO_BYTES;
        continue;
      }
      const taken = Math.min(left, count);
      const wholePiece = taken === this.piece.length;
      target.set(wholePiece ? this.piece : this.piece.subarray(this.pieceAt, this.pieceAt + taken), at);
      this.pieceAt += taken;
      at += taken;
      count -= taken;
    }
  }

  /** Gets the next piece of the body. To be called when nothing but the head, or nothing at all, is available. */
  async pull(): Promise<void> {
    const next = await this.source!.next();
    if (next.done) this.complete = true;
    else {
      this.nextPiece = next.value;
      this.availableBytes += next.value.length;
    }
  }

  /** Ends the source of the body: no more is wanted. */
  cancel(): void {
    if (!this.complete) void this.source?.return?.()?.then(undefined, () => {});
  }
}

/** @throws {TypeError} when the properties cannot be sent */
export function outgoingMessage(number: number, flags: number, content: RequestInit | ReplyInit): OutgoingMessage {
  const withUrgency = content.urgent ? flags | FrameFlag.urgent : flags;
  const head = (content.properties ?? Properties.none).encode();
  return new OutgoingMessage(number, withUrgency, content.compressed === true, head, content.body);
}
