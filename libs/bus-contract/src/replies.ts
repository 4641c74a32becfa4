import { CATALOGUE, EdgeError, type ErrorCode } from '@edgesync/errors';
import type { Message } from './envelope.js';
import { Fields } from './fields.js';

export interface CollectionDescription {
  readonly scope: string;
  readonly collection: string;
  readonly documents: number;
  readonly lastSequence: number;
}

export class CollectionReply implements CollectionDescription {
  static readonly version = 1;

  constructor(
    readonly scope: string,
    readonly collection: string,
    readonly documents: number,
    readonly lastSequence: number,
  ) {}

  static of({ scope, collection, documents, lastSequence }: CollectionDescription): CollectionReply {
    return new CollectionReply(scope, collection, documents, lastSequence);
  }

  static parse(meta: unknown): CollectionReply {
    const fields = new Fields('collection reply', meta);
    return new CollectionReply(
      fields.text('scope'),
      fields.text('collection'),
      fields.count('documents'),
      fields.count('lastSequence'),
    );
  }
}

export class DatabaseReply {
  static readonly version = 1;

  constructor(
    readonly name: string,
    readonly path: string,
    readonly uuid: string,
    readonly source: string,
    readonly clock: string,
    readonly collections: readonly CollectionReply[],
  ) {}

  static parse(meta: unknown): DatabaseReply {
    const fields = new Fields('database reply', meta);
    return new DatabaseReply(
      fields.text('name'),
      fields.text('path'),
      fields.text('uuid'),
      fields.text('source'),
      fields.text('clock'),
      fields.list('collections').map((collection) => CollectionReply.parse(collection)),
    );
  }
}

export interface PageReply<Row> {
  readonly rows: readonly Row[];
  readonly more: boolean;
}

/** Where a page of the change log ended. */
export class ChangesPosition {
  constructor(
    readonly scanned: number,
    readonly more: boolean,
    readonly lastSequence: number,
  ) {}

  static parse(meta: unknown): ChangesPosition {
    const fields = new Fields('changes reply', meta);
    return new ChangesPosition(fields.count('scanned'), fields.flag('more'), fields.count('lastSequence'));
  }
}

/** The outcome of one write, as the storage port has it. */
export type WriteOutcome =
  | {
      readonly status: 'stored';
      readonly id: string;
      readonly rev: string;
      readonly vector: string;
      readonly sequence: number;
      readonly resolved?: 'local' | 'remote';
    }
  | {
      readonly status: 'known';
      readonly id: string;
      readonly rev: string;
      readonly vector: string;
      readonly sequence: number;
    }
  | {
      readonly status: 'conflict';
      readonly id: string;
      readonly rev: string;
      readonly vector: string;
      readonly deleted: boolean;
    }
  | { readonly status: 'purged'; readonly id: string }
  | { readonly status: 'missing'; readonly id: string; readonly deleted: boolean }
  | { readonly status: 'refused'; readonly id: string; readonly code: ErrorCode; readonly reason: string };

const OUTCOMES = ['stored', 'known', 'conflict', 'purged', 'missing', 'refused'] as const;

export class WriteBatchReply {
  static readonly version = 1;

  constructor(readonly results: readonly WriteOutcome[]) {}

  static parse(meta: unknown): WriteBatchReply {
    const results = new Fields('write reply', meta).list('results');
    for (const result of results) {
      const fields = new Fields('write result', result);
      fields.text('id');
      const status = fields.oneOf('status', OUTCOMES);
      if (status === 'stored' || status === 'known') fields.count('sequence');
      if (status === 'stored' || status === 'known' || status === 'conflict') {
        fields.text('rev');
        fields.text('vector');
      }
      if (status === 'refused') fields.text('reason');
    }
    return new WriteBatchReply(results as readonly WriteOutcome[]);
  }
}

/** The body of the message is the checkpoint's. */
export class CheckpointReply {
  static readonly version = 1;

  constructor(readonly rev: string | undefined) {}

  static parse(meta: unknown): CheckpointReply {
    return new CheckpointReply(new Fields('checkpoint reply', meta).optionalText('rev'));
  }
}

export class BlobReply {
  static readonly version = 1;

  constructor(
    readonly digest: string | undefined,
    readonly length: number,
  ) {}

  static parse(meta: unknown): BlobReply {
    const fields = new Fields('blob reply', meta);
    return new BlobReply(fields.optionalText('digest'), fields.count('length'));
  }
}

export class MissingBlobsReply {
  static readonly version = 1;

  constructor(readonly digests: readonly string[]) {}

  static parse(meta: unknown): MissingBlobsReply {
    return new MissingBlobsReply(new Fields('missing blobs reply', meta).texts('digests'));
  }
}

/** The content of a blob, as the message's one body. */
export class BlobContentReply {
  static readonly version = 1;
}

/** A fault of the catalogue on its way to another process. */
export class FaultReply {
  static readonly version = 1;

  constructor(
    readonly code: string,
    readonly reason: string,
  ) {}

  static of({ code, message }: EdgeError): FaultReply {
    return new FaultReply(code, message);
  }

  static parse(meta: unknown): FaultReply {
    const fields = new Fields('fault', meta);
    return new FaultReply(fields.text('code'), fields.text('reason'));
  }

  /** The fault; one that this release does not know is `internal`. */
  toError(): EdgeError {
    return Object.hasOwn(CATALOGUE, this.code)
      ? new EdgeError(this.code as ErrorCode, this.reason)
      : new EdgeError('internal', `${this.code}: ${this.reason}`);
  }
}

/** The doorbell. */
export class ChangedSignal {
  static readonly version = 1;

  constructor(readonly sequence: number) {}

  static parse(message: Message): ChangedSignal {
    return new ChangedSignal(new Fields('changed', message.meta).count('sequence'));
  }
}

/** How far a receiver of chunks has come, counted from the first chunk. Repeating one does no harm. */
export class CreditSignal {
  static readonly version = 1;

  constructor(readonly taken: number) {}

  static parse(message: Message): CreditSignal {
    return new CreditSignal(new Fields('credit', message.meta).count('taken'));
  }
}

/** Which piece this is, counted from 0; of an end: how many there were, and the SHA-256 of all in hex. */
export class ChunkMark {
  static readonly version = 1;

  constructor(
    readonly index: number,
    readonly sha256?: string | undefined,
  ) {}

  static parse(message: Message): ChunkMark {
    const fields = new Fields('chunk', message.meta);
    return new ChunkMark(fields.count('index'), fields.optionalText('sha256'));
  }
}
