import {
  BlobContentReply,
  BlobReply,
  ChangesPosition,
  ChangesRequest,
  CheckpointReply,
  CollectionReply,
  CollectionRequest,
  DatabaseReply,
  DescribeRequest,
  ListRequest,
  LoadCheckpointRequest,
  MissingBlobsReply,
  MissingBlobsRequest,
  OpenBlobRequest,
  PutBlobRequest,
  ReadBlobRequest,
  ReadRequest,
  ReadRevisionRequest,
  RevisionsReply,
  SaveCheckpointRequest,
  WriteBatchReply,
  WriteBatchRequest,
  type Content,
  type Message,
  type Operation,
} from '@edgesync/bus-contract';
import type { Keyspace } from '@edgesync/document';
import { EdgeError } from '@edgesync/errors';
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

/** What is answered: a message, or the one body of a message that is too large to be made whole. */
export type Result = Content | { readonly stream: AsyncIterable<Uint8Array>; readonly length: number };

interface Handler {
  /** Versions of the payloads. */
  readonly request: number;
  readonly reply: number;
  /** Takes its content in chunks instead of having the whole message put together first. */
  readonly upload?: true;
  handle(storage: Storage, request: Request): Promise<Result>;
}

const only = (meta: object): Content => ({ meta, bodies: [] });

const within = (database: string, { scope, collection }: { scope: string; collection: string }): Keyspace => ({
  database,
  scope,
  collection,
});

/** What a storage process answers to each operation. */
export const HANDLERS: Record<Operation, Handler> = {
  describe: {
    request: DescribeRequest.version,
    reply: DatabaseReply.version,
    async handle(storage, { database }) {
      const { name, path, uuid, source, clock, collections } = await storage.describe(database);
      return only(
        new DatabaseReply(
          name,
          path,
          uuid,
          source,
          clock,
          collections.map((each) => CollectionReply.of(each)),
        ),
      );
    },
  },
  collection: {
    request: CollectionRequest.version,
    reply: CollectionReply.version,
    async handle(storage, { database, payload }) {
      const request = CollectionRequest.parse(payload);
      return only(CollectionReply.of(await storage.collection(within(database, request))));
    },
  },
  read: {
    request: ReadRequest.version,
    reply: RevisionsReply.version,
    async handle(storage, { database, payload }) {
      const request = ReadRequest.parse(payload);
      const { ids, body } = request;
      return RevisionsReply.content(await storage.read(within(database, request), ids, { body }));
    },
  },
  readRevision: {
    request: ReadRevisionRequest.version,
    reply: RevisionsReply.version,
    async handle(storage, { database, payload }) {
      const request = ReadRevisionRequest.parse(payload);
      const { id, rev } = request;
      return RevisionsReply.content([await storage.readRevision(within(database, request), id, rev)]);
    },
  },
  list: {
    request: ListRequest.version,
    reply: RevisionsReply.version,
    async handle(storage, { database, payload }) {
      const request = ListRequest.parse(payload);
      const { rows, more } = await storage.list(within(database, request), defined(request.bounds));
      return RevisionsReply.content(rows, { more });
    },
  },
  changes: {
    request: ChangesRequest.version,
    reply: RevisionsReply.version,
    async handle(storage, { database, payload }) {
      const request = ChangesRequest.parse(payload);
      const page = await storage.changes(within(database, request), defined(request.bounds));
      return RevisionsReply.content(page.rows, new ChangesPosition(page.scanned, page.more, page.lastSequence));
    },
  },
  write: {
    request: WriteBatchRequest.version,
    reply: WriteBatchReply.version,
    async handle(storage, { database, payload, message, idempotencyKey }) {
      const writes = WriteBatchRequest.parse(payload).writes(database, message);
      return only(new WriteBatchReply(await storage.write(database, writes, optional({ idempotencyKey }))));
    },
  },
  loadCheckpoint: {
    request: LoadCheckpointRequest.version,
    reply: CheckpointReply.version,
    async handle(storage, { database, payload }) {
      const request = LoadCheckpointRequest.parse(payload);
      const checkpoint = await storage.loadCheckpoint(within(database, request), request.client);
      return { meta: new CheckpointReply(checkpoint?.rev), bodies: checkpoint ? [checkpoint.body] : [] };
    },
  },
  saveCheckpoint: {
    request: SaveCheckpointRequest.version,
    reply: CheckpointReply.version,
    async handle(storage, { database, payload, message, idempotencyKey }) {
      const request = SaveCheckpointRequest.parse(payload);
      const { client, rev } = request;
      const body = message.texts()[0] ?? '';
      const options = optional({ idempotencyKey });
      const saved = await storage.saveCheckpoint(within(database, request), client, rev, body, options);
      return only(new CheckpointReply(saved));
    },
  },
  putBlob: {
    request: PutBlobRequest.version,
    reply: BlobReply.version,
    upload: true,
    async handle(storage, { database, payload, message, upload }) {
      const { digest, length, limit } = PutBlobRequest.parse(payload);
      const expected = optional({ digest, length });
      const info = await storage.putBlob(database, upload ?? message.rest(), optional({ expected, limit }));
      return only(new BlobReply(info.digest, info.length));
    },
  },
  openBlob: {
    request: OpenBlobRequest.version,
    reply: BlobReply.version,
    async handle(storage, { database, payload }) {
      const blob = await storage.openBlob(database, OpenBlobRequest.parse(payload).digest);
      return only(new BlobReply(blob?.digest, blob?.length ?? 0));
    },
  },
  readBlob: {
    request: ReadBlobRequest.version,
    reply: BlobContentReply.version,
    async handle(storage, { database, payload }) {
      const { digest, start, end } = ReadBlobRequest.parse(payload);
      const blob = await storage.openBlob(database, digest);
      if (!blob) throw new EdgeError('blob.missing');
      return { stream: blob.read({ start, end }), length: end - start + 1 };
    },
  },
  missingBlobs: {
    request: MissingBlobsRequest.version,
    reply: MissingBlobsReply.version,
    async handle(storage, { database, payload }) {
      const { digests } = MissingBlobsRequest.parse(payload);
      return only(new MissingBlobsReply(await storage.missingBlobs(database, digests)));
    },
  },
};

type Defined<T> = { [Key in keyof T]: Exclude<T[Key], undefined> };

/** Without the members that are undefined: for a port an absent option is not one that is undefined. */
function defined<T extends object>(options: T): Defined<T> {
  return Object.fromEntries(Object.entries(options).filter(([, value]) => value !== undefined)) as Defined<T>;
}

/** The same, or undefined if nothing is left. */
function optional<T extends object>(options: T): Defined<T> | undefined {
  const some = defined(options);
  return Object.keys(some).length > 0 ? some : undefined;
}
