import type { CollectionName } from '@edgesync/document';
import { Fields } from './fields.js';

/*
 * What is asked of the owner of a database. The database is in the subject. A class is the shape of the metadata:
 * its fields in JSON are what travels, and `parse` accepts nothing else.
 */

/** Nothing but the operation: describes the database. */
export class DescribeRequest {
  static readonly version = 1;

  static parse(): DescribeRequest {
    return new DescribeRequest();
  }
}

export class CollectionRequest implements CollectionName {
  static readonly version = 1;

  constructor(
    readonly scope: string,
    readonly collection: string,
  ) {}

  static parse(meta: unknown): CollectionRequest {
    const fields = new Fields('collection', meta);
    return new CollectionRequest(fields.text('scope'), fields.text('collection'));
  }
}

/** Current revisions of several documents. */
export class ReadRequest implements CollectionName {
  static readonly version = 1;

  constructor(
    readonly scope: string,
    readonly collection: string,
    readonly ids: readonly string[],
    readonly body: boolean,
  ) {}

  static parse(meta: unknown): ReadRequest {
    const fields = new Fields('read', meta);
    return new ReadRequest(fields.text('scope'), fields.text('collection'), fields.texts('ids'), fields.flag('body'));
  }
}

export class ReadRevisionRequest implements CollectionName {
  static readonly version = 1;

  constructor(
    readonly scope: string,
    readonly collection: string,
    readonly id: string,
    readonly rev: string,
  ) {}

  static parse(meta: unknown): ReadRevisionRequest {
    const fields = new Fields('readRevision', meta);
    return new ReadRevisionRequest(
      fields.text('scope'),
      fields.text('collection'),
      fields.text('id'),
      fields.text('rev'),
    );
  }
}

/** Bounds and direction of a listing. */
export interface ListingBounds {
  readonly startKey?: string | undefined;
  readonly endKey?: string | undefined;
  readonly after?: string | undefined;
  readonly descending: boolean;
  readonly skip: number;
  readonly limit: number;
  readonly body: boolean;
}

export class ListRequest implements CollectionName {
  static readonly version = 1;

  constructor(
    readonly scope: string,
    readonly collection: string,
    readonly bounds: ListingBounds,
  ) {}

  static parse(meta: unknown): ListRequest {
    const fields = new Fields('list', meta);
    const bounds = new Fields('list.bounds', (meta as { bounds?: unknown }).bounds);
    return new ListRequest(fields.text('scope'), fields.text('collection'), {
      startKey: bounds.optionalText('startKey'),
      endKey: bounds.optionalText('endKey'),
      after: bounds.optionalText('after'),
      descending: bounds.flag('descending'),
      skip: bounds.count('skip'),
      limit: bounds.count('limit'),
      body: bounds.flag('body'),
    });
  }
}

/** Which part of the change log a page is read from. */
export interface ChangesBounds {
  readonly since: number;
  readonly limit: number;
  readonly descending: boolean;
  readonly activeOnly: boolean;
  readonly ids?: readonly string[] | undefined;
  readonly body: boolean;
}

export class ChangesRequest implements CollectionName {
  static readonly version = 1;

  constructor(
    readonly scope: string,
    readonly collection: string,
    readonly bounds: ChangesBounds,
  ) {}

  static parse(meta: unknown): ChangesRequest {
    const fields = new Fields('changes', meta);
    const bounds = new Fields('changes.bounds', (meta as { bounds?: unknown }).bounds);
    return new ChangesRequest(fields.text('scope'), fields.text('collection'), {
      since: bounds.count('since'),
      limit: bounds.count('limit'),
      descending: bounds.flag('descending'),
      activeOnly: bounds.flag('activeOnly'),
      ids: bounds.optionalTexts('ids'),
      body: bounds.flag('body'),
    });
  }
}

export class LoadCheckpointRequest implements CollectionName {
  static readonly version = 1;

  constructor(
    readonly scope: string,
    readonly collection: string,
    readonly client: string,
  ) {}

  static parse(meta: unknown): LoadCheckpointRequest {
    const fields = new Fields('loadCheckpoint', meta);
    return new LoadCheckpointRequest(fields.text('scope'), fields.text('collection'), fields.text('client'));
  }
}

/** The checkpoint itself is the message's body. */
export class SaveCheckpointRequest implements CollectionName {
  static readonly version = 1;

  constructor(
    readonly scope: string,
    readonly collection: string,
    readonly client: string,
    readonly rev: string,
  ) {}

  static parse(meta: unknown): SaveCheckpointRequest {
    const fields = new Fields('saveCheckpoint', meta);
    return new SaveCheckpointRequest(
      fields.text('scope'),
      fields.text('collection'),
      fields.text('client'),
      fields.text('rev'),
    );
  }
}

/** The content is the message's body, or follows in chunks. */
export class PutBlobRequest {
  static readonly version = 1;

  constructor(
    readonly digest: string | undefined,
    readonly length: number | undefined,
    /** Most bytes accepted. */
    readonly limit: number | undefined,
  ) {}

  static parse(meta: unknown): PutBlobRequest {
    const fields = new Fields('putBlob', meta);
    return new PutBlobRequest(
      fields.optionalText('digest'),
      fields.optionalCount('length'),
      fields.optionalCount('limit'),
    );
  }
}

export class OpenBlobRequest {
  static readonly version = 1;

  constructor(readonly digest: string) {}

  static parse(meta: unknown): OpenBlobRequest {
    return new OpenBlobRequest(new Fields('openBlob', meta).text('digest'));
  }
}

/** The bytes from `start` up to and including `end`. */
export class ReadBlobRequest {
  static readonly version = 1;

  constructor(
    readonly digest: string,
    readonly start: number,
    readonly end: number,
  ) {}

  static parse(meta: unknown): ReadBlobRequest {
    const fields = new Fields('readBlob', meta);
    return new ReadBlobRequest(fields.text('digest'), fields.count('start'), fields.count('end'));
  }
}

export class MissingBlobsRequest {
  static readonly version = 1;

  constructor(readonly digests: readonly string[]) {}

  static parse(meta: unknown): MissingBlobsRequest {
    return new MissingBlobsRequest(new Fields('missingBlobs', meta).texts('digests'));
  }
}
