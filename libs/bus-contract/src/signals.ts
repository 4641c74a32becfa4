import { CATALOGUE, EdgeError, type ErrorCode } from '@edgesync/errors';
import type { Message } from './envelope.js';
import { count, object, optional, parse, text } from './schema.js';

const errorMeta = object({ code: text(), reason: text() });

/** An error of the catalogue on its way to another process. */
export class ErrorReply {
  static readonly version = 1;

  constructor(
    readonly code: string,
    readonly reason: string,
  ) {}

  static of({ code, message }: EdgeError): ErrorReply {
    return new ErrorReply(code, message);
  }

  static parse(meta: unknown): ErrorReply {
    const { code, reason } = parse('error', errorMeta, meta);
    return new ErrorReply(code, reason);
  }

  /** The error; one that this release does not know is `internal`. */
  toError(): EdgeError {
    return Object.hasOwn(CATALOGUE, this.code)
      ? new EdgeError(this.code as ErrorCode, this.reason)
      : new EdgeError('internal', `${this.code}: ${this.reason}`);
  }
}

const changedMeta = object({ sequence: count() });

/** The doorbell. */
export class ChangedSignal {
  static readonly version = 1;

  constructor(readonly sequence: number) {}

  static parse({ meta }: Message): ChangedSignal {
    return new ChangedSignal(parse('changed', changedMeta, meta).sequence);
  }
}

const creditMeta = object({ taken: count() });

/** How many chunks the receiver has taken, counted from the first. Repeating one does no harm. */
export class CreditSignal {
  static readonly version = 1;

  constructor(readonly taken: number) {}

  static parse({ meta }: Message): CreditSignal {
    return new CreditSignal(parse('credit', creditMeta, meta).taken);
  }
}

const chunkMeta = object({ index: count(), sha256: optional(text()) });

/** Which piece this is, counted from 0; of an end: how many there were, and the SHA-256 of all in hex. */
export class ChunkMark {
  static readonly version = 1;

  constructor(
    readonly index: number,
    readonly sha256?: string,
  ) {}

  static parse({ meta }: Message): ChunkMark {
    const { index, sha256 } = parse('chunk', chunkMeta, meta);
    return new ChunkMark(index, sha256);
  }
}
