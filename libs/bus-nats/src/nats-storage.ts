import { STORAGE_OPERATIONS, type Named, type StreamOperation, type ValueOperation } from '@edgesync/bus-contract';
import type { Keyspace } from '@edgesync/document';
import { EdgeError } from '@edgesync/errors';
import type {
  BlobContent,
  BlobInfo,
  ChangedEvent,
  ChangePage,
  ChangesOptions,
  Checkpoint,
  CollectionInfo,
  DatabaseInfo,
  DocumentRevision,
  IndexStatus,
  ListOptions,
  ListPage,
  QueryOptions,
  QueryPlan,
  QueryResult,
  QueryRunner,
  ReadOptions,
  Storage,
  StoredRevision,
  WithBodies,
  WriteOptions,
  WriteRequest,
  WriteResult,
} from '@edgesync/ports';
import { nuid } from '@nats-io/transport-node';
import { readBlob } from './blob-download.js';
import type { Bus } from './bus.js';
import { Caller, type Call, type CallerOptions } from './caller.js';
import { ItemStream } from './item-stream.js';
import { LogReadAhead } from './log-read-ahead.js';
import { SharedReads } from './shared-reads.js';
import { CHUNK_BYTES } from './tuning.js';
import { Watchers } from './watchers.js';

export interface NatsStorageOptions extends CallerOptions {
  /** Databases of this deployment, as configured. Others do not exist, whether or not these are served now. */
  readonly databases: readonly string[];
  /** Called with errors that no caller is waiting for. */
  readonly report?: (error: unknown) => void;
}

/** The storage ports of databases that other processes own. */
export class NatsStorage implements Storage, QueryRunner {
  private readonly caller: Caller;
  private readonly watchers: Watchers;
  private readonly known: ReadonlySet<string>;
  private readonly log = new LogReadAhead((keyspace, options) => this.readLog(keyspace, options));
  private readonly shared = new SharedReads((keyspace, ids) => this.readWithBodies(keyspace, ids));

  constructor(bus: Bus, options: NatsStorageOptions) {
    this.known = new Set(options.databases);
    this.caller = new Caller(bus, options);
    this.watchers = new Watchers(bus, (keyspace) => this.collection(keyspace), options.report);
  }

  /** Requests sent so far, repeated ones included. */
  get requests(): number {
    return this.caller.requests;
  }

  /** Calls under way end with `storage.unavailable`. The connection stays open: it is the caller's. */
  close(): void {
    this.log.close();
    this.watchers.close();
    this.caller.close();
  }

  async databases(): Promise<readonly string[]> {
    return [...this.known].sort();
  }

  describe(database: string): Promise<DatabaseInfo> {
    return this.call(STORAGE_OPERATIONS.describe, database, {});
  }

  collection(keyspace: Keyspace): Promise<CollectionInfo> {
    return this.call(STORAGE_OPERATIONS.collection, keyspace.database, { keyspace });
  }

  read(
    keyspace: Keyspace,
    ids: readonly string[],
    options?: WithBodies,
  ): Promise<readonly (DocumentRevision | undefined)[]>;
  read(
    keyspace: Keyspace,
    ids: readonly string[],
    options?: ReadOptions,
  ): Promise<readonly (StoredRevision | undefined)[]>;
  async read(
    keyspace: Keyspace,
    ids: readonly string[],
    { body = true }: ReadOptions = {},
  ): Promise<readonly (StoredRevision | undefined)[]> {
    if (ids.length === 1 && body) return [await this.shared.read(keyspace, ids[0]!)];
    return this.call(STORAGE_OPERATIONS.read, keyspace.database, { keyspace, ids, body });
  }

  readRevision(keyspace: Keyspace, id: string, rev: string): Promise<DocumentRevision | undefined> {
    return this.call(STORAGE_OPERATIONS.readRevision, keyspace.database, { keyspace, id, rev });
  }

  list(keyspace: Keyspace, options: ListOptions): Promise<ListPage> {
    const { descending = false, skip = 0, body = true, ...rest } = options;
    const limit = finite(options.limit);
    return this.call(STORAGE_OPERATIONS.list, keyspace.database, { keyspace, ...rest, limit, descending, skip, body });
  }

  changes(keyspace: Keyspace, options: ChangesOptions): Promise<ChangePage> {
    return this.log.changes(keyspace, options);
  }

  watch(keyspace: Keyspace, listener: (event: ChangedEvent) => void): () => void {
    this.check(keyspace.database);
    return this.watchers.watch(keyspace, listener);
  }

  async write(
    database: string,
    requests: readonly WriteRequest[],
    options?: WriteOptions,
  ): Promise<readonly WriteResult[]> {
    if (requests.some(({ keyspace }) => keyspace.database !== database))
      throw new EdgeError('keyspace.unknown', `a write is not for the database ${database}`);
    return this.call(STORAGE_OPERATIONS.write, database, requests, options);
  }

  loadCheckpoint(keyspace: Keyspace, client: string): Promise<Checkpoint | undefined> {
    return this.call(STORAGE_OPERATIONS.loadCheckpoint, keyspace.database, { keyspace, client });
  }

  saveCheckpoint(
    keyspace: Keyspace,
    client: string,
    rev: string,
    body: string,
    options?: WriteOptions,
  ): Promise<string> {
    return this.call(STORAGE_OPERATIONS.saveCheckpoint, keyspace.database, { keyspace, client, rev, body }, options);
  }

  putBlob(
    database: string,
    content: Uint8Array | AsyncIterable<Uint8Array>,
    { expected, limit }: { readonly expected?: Partial<BlobInfo>; readonly limit?: number } = {},
  ): Promise<BlobInfo> {
    return this.call(STORAGE_OPERATIONS.putBlob, database, { ...expected, limit }, { content });
  }

  async openBlob(database: string, digest: string): Promise<BlobContent | undefined> {
    const blob = await this.call(STORAGE_OPERATIONS.openBlob, database, { digest });
    if (!blob) return undefined;
    const last = blob.length - 1;
    return {
      ...blob,
      read: ({ start, end } = { start: 0, end: last }) =>
        readBlob(this.caller, database, digest, start, Math.min(end, last)),
    };
  }

  missingBlobs(database: string, digests: readonly string[]): Promise<readonly string[]> {
    return this.call(STORAGE_OPERATIONS.missingBlobs, database, { digests });
  }

  private async readWithBodies(
    keyspace: Keyspace,
    ids: readonly string[],
  ): Promise<readonly (DocumentRevision | undefined)[]> {
    const found = await this.call(STORAGE_OPERATIONS.read, keyspace.database, { keyspace, ids, body: true });
    // The codec has checked that each row has a body.
    return found as readonly (DocumentRevision | undefined)[];
  }

  async query(keyspace: Keyspace, statement: string, options: QueryOptions = {}): Promise<QueryResult> {
    const { signal } = options;
    const request = statementRequest(keyspace, statement, options);
    const stream = await this.stream(STORAGE_OPERATIONS.query, keyspace.database, request, signal);
    return {
      get summary() {
        return stream.end;
      },
      cancel: () => stream.cancel(),
      [Symbol.asyncIterator]: () => stream[Symbol.asyncIterator](),
    };
  }

  explain(keyspace: Keyspace, statement: string, options: QueryOptions = {}): Promise<QueryPlan> {
    const request = statementRequest(keyspace, statement, options);
    return orAborted(this.call(STORAGE_OPERATIONS.explain, keyspace.database, request), options.signal);
  }

  indexes(database: string): Promise<readonly IndexStatus[]> {
    return this.call(STORAGE_OPERATIONS.indexes, database, {});
  }

  private readLog(keyspace: Keyspace, options: ChangesOptions): Promise<ChangePage> {
    const { ids, descending = false, activeOnly = false, body = true, utf8 = false } = options;
    const since = finite(options.since);
    const limit = finite(options.limit);
    const request = { keyspace, since, limit, ids, descending, activeOnly, body, utf8 };
    return this.call(STORAGE_OPERATIONS.changes, keyspace.database, request);
  }

  private async call<Request, Reply>(
    operation: Named<ValueOperation<Request, Reply>>,
    database: string,
    request: Request,
    { content, idempotencyKey }: CallDetails = {},
  ): Promise<Reply> {
    this.check(database);
    const { meta, bodies } = operation.request.encode(request);
    const key = operation.keyed?.(request) ? (idempotencyKey ?? nuid.next()) : undefined;
    const { message } = await this.caller.call({
      database,
      operation,
      payload: meta,
      ...(content === undefined ? { bodies } : uploadOf(content)),
      ...(key !== undefined && { idempotencyKey: key }),
    });
    return operation.reply.decode(message, request);
  }

  /** Resolves when the first item, or the end, has arrived. Until then another owner may take over. */
  private async stream<Request, Item, End>(
    operation: Named<StreamOperation<Request, Item, End>>,
    database: string,
    request: Request,
    signal: AbortSignal | undefined,
  ): Promise<ItemStream<Request, Item, End>> {
    this.check(database);
    signal?.throwIfAborted();
    const { meta, bodies } = operation.request.encode(request);
    const call = { database, operation, payload: meta, bodies, streamReply: true };
    const opened = this.caller.call(call, ({ stream }) => {
      if (!stream) throw new EdgeError('bus.invalid', `the reply to ${operation.name} is no stream`);
      return new ItemStream(operation, request, database, stream, signal).begin();
    });
    return orAborted(opened, signal);
  }

  private check(database: string): void {
    if (!this.known.has(database)) throw new EdgeError('keyspace.unknown', `no database ${database}`);
  }
}

const statementRequest = (keyspace: Keyspace, statement: string, { parameters, timeLimit }: QueryOptions) => ({
  keyspace,
  statement,
  ...(parameters !== undefined && { parameters }),
  ...(timeLimit !== undefined && { timeLimit: finite(Math.ceil(timeLimit)) }),
});

/** Does not wait any longer when the signal is aborted. @throws the reason of the signal */
function orAborted<T>(work: Promise<T>, signal: AbortSignal | undefined): Promise<T> {
  if (!signal) return work;
  return new Promise((resolve, reject) => {
    const abort = (): void => reject(signal.reason as Error);
    signal.addEventListener('abort', abort, { once: true });
    if (signal.aborted) abort();
    work.then(resolve, reject).finally(() => signal.removeEventListener('abort', abort));
  });
}

interface CallDetails extends WriteOptions {
  readonly content?: Uint8Array | AsyncIterable<Uint8Array>;
}

/** Small content goes with the request, other content in chunks behind it. */
function uploadOf(content: Uint8Array | AsyncIterable<Uint8Array>): Pick<Call, 'bodies' | 'upload' | 'repeatable'> {
  if (!(content instanceof Uint8Array)) return { bodies: [], upload: content };
  if (content.byteLength <= CHUNK_BYTES) return { bodies: [content] };
  return { bodies: [], upload: asStream(content), repeatable: true };
}

/** The same bytes every time it is read. */
const asStream = (content: Uint8Array): AsyncIterable<Uint8Array> => ({
  async *[Symbol.asyncIterator]() {
    yield content;
  },
});

/** JSON has no infinity: "all there is" is a large number on the wire. */
const finite = (limit: number): number => Math.min(limit, Number.MAX_SAFE_INTEGER);
