import { EdgeError } from '@edgesync/errors';
import type {
  BlobInfo,
  Checkpoint,
  CollectionInfo,
  DatabaseInfo,
  IndexStatus,
  QueryBatch,
  QueryPlan,
  QuerySummary,
} from '@edgesync/ports';
import * as v from 'valibot';
import {
  bytesOperation,
  collectionRequest,
  databaseRequest,
  metaReply,
  named,
  streamOperation,
  valueOperation,
  type Named,
  type Operation,
  type ReplyCodec,
} from './operation.js';
import { changesReply, listReply, revisionReply, revisionsReply } from './revision-rows.js';
import { array, count, flag, maybe, object, oneOf, optional, parse, text, texts } from './schema.js';
import { writeReply, writeRequest } from './writes.js';

const collectionInfo = object({ scope: text(), collection: text(), documents: count(), lastSequence: count() });
const databaseInfo = object({
  name: text(),
  path: text(),
  uuid: text(),
  source: text(),
  clock: text(),
  collections: array(collectionInfo),
  writeObstacle: optional(oneOf(['storage.full', 'storage.read-only'])),
});
const checkpoint = object({ rev: text(), body: text() });
const blobInfo = object({ digest: text(), length: count() });

const plan = { plan: texts(), hints: texts() };
/** The JSON of the rows is the body. */
const queryBatch: ReplyCodec<QueryBatch> = {
  version: 1,
  encode: ({ rows, json }) => ({ meta: { rows }, bodies: [json] }),
  decode(message) {
    const { rows } = parse('query batch', object({ rows: count() }), message.meta);
    const [json] = message.texts();
    if (json === undefined) throw new EdgeError('bus.invalid', 'a query batch has no rows');
    return { rows, json };
  },
};
const summary = object({ ...plan, rows: count(), rowsRead: count(), seconds: v.number() });
const statement = { statement: text(), parameters: optional(text()), timeLimit: optional(count()) };
const indexStatus = object({
  name: text(),
  collection: object({ scope: text(), collection: text() }),
  type: oneOf(['value', 'array', 'fulltext']),
  state: oneOf(['building', 'ready', 'failed']),
  done: count(),
  total: count(),
  reason: optional(text()),
});

/** Everything that can be asked of a database's owner. The key is the last token of a request's subject. */
export const STORAGE_OPERATIONS = named({
  describe: valueOperation({
    request: databaseRequest(1, {}),
    reply: metaReply<DatabaseInfo>(1, 'database', databaseInfo),
    call: (storage, _, { database }) => storage.describe(database),
  }),

  collection: valueOperation({
    request: collectionRequest(1, {}),
    reply: metaReply<CollectionInfo>(1, 'collection', collectionInfo),
    call: (storage, { keyspace }) => storage.collection(keyspace),
  }),

  /** Current revisions of several documents. */
  read: valueOperation({
    request: collectionRequest(1, { ids: texts(), body: flag() }),
    reply: revisionsReply,
    call: (storage, { keyspace, ids, body }) => storage.read(keyspace, ids, { body }),
  }),

  readRevision: valueOperation({
    request: collectionRequest(1, { id: text(), rev: text() }),
    reply: revisionReply,
    call: (storage, { keyspace, id, rev }) => storage.readRevision(keyspace, id, rev),
  }),

  list: valueOperation({
    request: collectionRequest(2, {
      startKey: optional(text()),
      endKey: optional(text()),
      after: optional(text()),
      descending: flag(),
      skip: count(),
      limit: count(),
      body: flag(),
    }),
    reply: listReply,
    call: (storage, { keyspace, ...options }) => storage.list(keyspace, options),
  }),

  changes: valueOperation({
    request: collectionRequest(2, {
      since: count(),
      limit: count(),
      descending: flag(),
      activeOnly: flag(),
      ids: optional(texts()),
      body: flag(),
      utf8: flag(),
    }),
    reply: changesReply,
    call: (storage, { keyspace, ...options }) => storage.changes(keyspace, options),
  }),

  write: valueOperation({
    request: writeRequest,
    // The ID of a revision made elsewhere names it: storing it again changes nothing.
    keyed: (writes) => writes.some(({ type }) => type !== 'revision'),
    reply: writeReply,
    call: (storage, writes, { database, idempotencyKey }) => storage.write(database, writes, { idempotencyKey }),
  }),

  loadCheckpoint: valueOperation({
    request: collectionRequest(1, { client: text() }),
    reply: metaReply<Checkpoint | undefined>(2, 'checkpoint', maybe(checkpoint)),
    call: (storage, { keyspace, client }) => storage.loadCheckpoint(keyspace, client),
  }),

  saveCheckpoint: valueOperation({
    request: collectionRequest(2, { client: text(), rev: text(), body: text() }),
    keyed: () => true,
    reply: metaReply(2, 'saved checkpoint', text()),
    call: (storage, { keyspace, client, rev, body }, { idempotencyKey }) =>
      storage.saveCheckpoint(keyspace, client, rev, body, { idempotencyKey }),
  }),

  putBlob: valueOperation({
    request: databaseRequest(1, { digest: optional(text()), length: optional(count()), limit: optional(count()) }),
    upload: true,
    reply: metaReply<BlobInfo>(1, 'blob', blobInfo),
    call: (storage, { limit, ...expected }, { database, content }) =>
      storage.putBlob(database, content, { expected, limit }),
  }),

  openBlob: valueOperation({
    request: databaseRequest(1, { digest: text() }),
    reply: metaReply<BlobInfo | undefined>(2, 'blob', maybe(blobInfo)),
    call: (storage, { digest }, { database }) => storage.openBlob(database, digest),
  }),

  /** The bytes from `start` up to and including `end`. */
  readBlob: bytesOperation({
    request: databaseRequest(1, { digest: text(), start: count(), end: count() }),
    reply: { version: 1 },
    async call(storage, { digest, start, end }, { database }) {
      const blob = await storage.openBlob(database, digest);
      if (!blob) throw new EdgeError('blob.missing');
      return { bytes: blob.read({ start, end }), length: end - start + 1 };
    },
  }),

  missingBlobs: valueOperation({
    request: databaseRequest(1, { digests: texts() }),
    reply: metaReply<readonly string[]>(2, 'missing blobs', texts()),
    call: (storage, { digests }, { database }) => storage.missingBlobs(database, digests),
  }),

  query: streamOperation({
    request: collectionRequest(1, statement),
    reply: { version: 1 },
    item: queryBatch,
    end: metaReply<QuerySummary>(1, 'query summary', summary),
    async call(storage, { keyspace, statement, ...options }, { signal }) {
      const result = await storage.query(keyspace, statement, { ...options, signal });
      return { items: result, end: () => result.summary! };
    },
  }),

  explain: valueOperation({
    request: collectionRequest(1, statement),
    reply: metaReply<QueryPlan>(1, 'query plan', object(plan)),
    call: (storage, { keyspace, statement, ...options }) => storage.explain(keyspace, statement, options),
  }),

  indexes: valueOperation({
    request: databaseRequest(1, {}),
    reply: metaReply<readonly IndexStatus[]>(1, 'indexes', array(indexStatus)),
    call: (storage, _, { database }) => storage.indexes(database),
  }),
});

/** The operation of that name, if there is one. */
export function storageOperation(name: string): Named<Operation> | undefined {
  return Object.hasOwn(STORAGE_OPERATIONS, name)
    ? STORAGE_OPERATIONS[name as keyof typeof STORAGE_OPERATIONS]
    : undefined;
}
