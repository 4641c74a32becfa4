import {
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
  ReadRequest,
  ReadRevisionRequest,
  RevisionsReply,
  SaveCheckpointRequest,
  WriteBatchReply,
  WriteBatchRequest,
  type Message,
  type Operation,
} from '@edgesync/bus-contract';
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
  ListOptions,
  ListPage,
  ReadOptions,
  Storage,
  WriteRequest,
  WriteResult,
} from '@edgesync/ports';
import { nuid } from '@nats-io/transport-node';
import { readBlob } from './blob-download.js';
import type { Bus } from './bus.js';
import { Caller, type CallerOptions } from './caller.js';
import { LogReadAhead } from './log-read-ahead.js';
import { SharedReads } from './shared-reads.js';
import { CHUNK_BYTES } from './tuning.js';
import { Watchers } from './watchers.js';

export interface NatsStorageOptions extends CallerOptions {
  /** Databases of this deployment, as configured. Others do not exist, whether or not somebody serves these now. */
  readonly databases: readonly string[];
  /** Told of faults that no caller is waiting for. */
  readonly report?: (error: unknown) => void;
}

/** Classes of the payloads of a request and its reply. */
interface Payloads {
  readonly request: { readonly version: number };
  readonly reply: { readonly version: number };
}

const PAYLOADS: Record<Exclude<Operation, 'readBlob'>, Payloads> = {
  describe: { request: DescribeRequest, reply: DatabaseReply },
  collection: { request: CollectionRequest, reply: CollectionReply },
  read: { request: ReadRequest, reply: RevisionsReply },
  readRevision: { request: ReadRevisionRequest, reply: RevisionsReply },
  list: { request: ListRequest, reply: RevisionsReply },
  changes: { request: ChangesRequest, reply: RevisionsReply },
  write: { request: WriteBatchRequest, reply: WriteBatchReply },
  loadCheckpoint: { request: LoadCheckpointRequest, reply: CheckpointReply },
  saveCheckpoint: { request: SaveCheckpointRequest, reply: CheckpointReply },
  putBlob: { request: PutBlobRequest, reply: BlobReply },
  openBlob: { request: OpenBlobRequest, reply: BlobReply },
  missingBlobs: { request: MissingBlobsRequest, reply: MissingBlobsReply },
};

/** The storage ports of databases that other processes own. */
export class NatsStorage implements Storage {
  private readonly caller: Caller;
  private readonly watchers: Watchers;
  private readonly known: ReadonlySet<string>;
  private readonly log = new LogReadAhead((keyspace, options) => this.readLog(keyspace, options));
  private readonly shared = new SharedReads((keyspace, ids) => this.readAll(keyspace, ids, true));

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

  async describe(database: string): Promise<DatabaseInfo> {
    return DatabaseReply.parse((await this.call(database, 'describe', new DescribeRequest())).meta);
  }

  async collection({ database, scope, collection }: Keyspace): Promise<CollectionInfo> {
    const reply = await this.call(database, 'collection', new CollectionRequest(scope, collection));
    return CollectionReply.parse(reply.meta);
  }

  async read(
    keyspace: Keyspace,
    ids: readonly string[],
    { body = true }: ReadOptions = {},
  ): Promise<readonly (DocumentRevision | undefined)[]> {
    return ids.length === 1 && body ? [await this.shared.read(keyspace, ids[0]!)] : this.readAll(keyspace, ids, body);
  }

  async readRevision(
    { database, scope, collection }: Keyspace,
    id: string,
    rev: string,
  ): Promise<DocumentRevision | undefined> {
    const request = new ReadRevisionRequest(scope, collection, id, rev);
    return RevisionsReply.rows(await this.call(database, 'readRevision', request))[0];
  }

  async list({ database, scope, collection }: Keyspace, options: ListOptions): Promise<ListPage> {
    const { startKey, endKey, after, descending = false, skip = 0, limit, body = true } = options;
    const bounds = { startKey, endKey, after, descending, skip, limit: finite(limit), body };
    const reply = await this.call(database, 'list', new ListRequest(scope, collection, bounds));
    return { rows: RevisionsReply.rows(reply) as DocumentRevision[], more: RevisionsReply.more(reply) };
  }

  changes(keyspace: Keyspace, options: ChangesOptions): Promise<ChangePage> {
    return this.log.changes(keyspace, options);
  }

  watch(keyspace: Keyspace, listener: (event: ChangedEvent) => void): () => void {
    this.check(keyspace.database);
    return this.watchers.watch(keyspace, listener);
  }

  async write(database: string, requests: readonly WriteRequest[]): Promise<readonly WriteResult[]> {
    if (requests.some(({ keyspace }) => keyspace.database !== database))
      throw new EdgeError('keyspace.unknown', `a write is not for the database ${database}`);
    const bodies = requests.map((request) => (request.type === 'purge' ? '' : request.body));
    // Revisions made elsewhere are named by their IDs: storing one again changes nothing.
    const key = requests.some(({ type }) => type !== 'revision') ? nuid.next() : undefined;
    const reply = await this.call(database, 'write', WriteBatchRequest.of(requests), bodies, key);
    return WriteBatchReply.parse(reply.meta).results;
  }

  async loadCheckpoint({ database, scope, collection }: Keyspace, client: string): Promise<Checkpoint | undefined> {
    const reply = await this.call(database, 'loadCheckpoint', new LoadCheckpointRequest(scope, collection, client));
    const { rev } = CheckpointReply.parse(reply.meta);
    return rev === undefined ? undefined : { rev, body: reply.texts()[0] ?? '' };
  }

  async saveCheckpoint(
    { database, scope, collection }: Keyspace,
    client: string,
    rev: string,
    body: string,
  ): Promise<string> {
    const request = new SaveCheckpointRequest(scope, collection, client, rev);
    const reply = await this.call(database, 'saveCheckpoint', request, [body], nuid.next());
    return CheckpointReply.parse(reply.meta).rev!;
  }

  async putBlob(
    database: string,
    content: Uint8Array | AsyncIterable<Uint8Array>,
    options?: { readonly expected?: Partial<BlobInfo>; readonly limit?: number },
  ): Promise<BlobInfo> {
    this.check(database);
    const { expected, limit } = options ?? {};
    const request = new PutBlobRequest(expected?.digest, expected?.length, limit);
    const small = content instanceof Uint8Array && content.byteLength <= CHUNK_BYTES;
    const repeatable = content instanceof Uint8Array;
    const { message } = await this.caller.call({
      database,
      operation: 'putBlob',
      versions: { request: PutBlobRequest.version, reply: BlobReply.version },
      payload: request,
      ...(small ? { bodies: [content] } : { bodies: [], upload: repeatable ? asStream(content) : content, repeatable }),
    });
    const { digest, length } = BlobReply.parse(message.meta);
    return { digest: digest!, length };
  }

  async openBlob(database: string, digest: string): Promise<BlobContent | undefined> {
    const reply = BlobReply.parse((await this.call(database, 'openBlob', new OpenBlobRequest(digest))).meta);
    if (reply.digest === undefined) return undefined;
    const { length } = reply;
    return {
      digest,
      length,
      read: ({ start, end } = { start: 0, end: length - 1 }) =>
        readBlob(this.caller, database, digest, start, Math.min(end, length - 1)),
    };
  }

  async missingBlobs(database: string, digests: readonly string[]): Promise<readonly string[]> {
    const reply = await this.call(database, 'missingBlobs', new MissingBlobsRequest(digests));
    return MissingBlobsReply.parse(reply.meta).digests;
  }

  private async readLog({ database, scope, collection }: Keyspace, options: ChangesOptions): Promise<ChangePage> {
    const { since, limit, descending = false, activeOnly = false, ids, body = true, utf8 = false } = options;
    const bounds = { since: finite(since), limit: finite(limit), descending, activeOnly, ids, body };
    const reply = await this.call(database, 'changes', new ChangesRequest(scope, collection, bounds));
    const { scanned, more, lastSequence } = ChangesPosition.parse(reply.meta);
    return { rows: RevisionsReply.rows(reply, utf8) as ChangePage['rows'][number][], scanned, more, lastSequence };
  }

  private async readAll(
    { database, scope, collection }: Keyspace,
    ids: readonly string[],
    body: boolean,
  ): Promise<readonly (DocumentRevision | undefined)[]> {
    return RevisionsReply.rows(await this.call(database, 'read', new ReadRequest(scope, collection, ids, body)));
  }

  private async call(
    database: string,
    operation: Exclude<Operation, 'readBlob'>,
    payload: object,
    bodies: readonly string[] = NONE,
    idempotencyKey?: string,
  ): Promise<Message> {
    this.check(database);
    const { request, reply } = PAYLOADS[operation];
    const answer = await this.caller.call({
      database,
      operation,
      versions: { request: request.version, reply: reply.version },
      payload,
      bodies,
      ...(idempotencyKey !== undefined && { idempotencyKey }),
    });
    return answer.message;
  }

  private check(database: string): void {
    if (!this.known.has(database)) throw new EdgeError('keyspace.unknown', `no database ${database}`);
  }
}

const NONE: readonly string[] = [];

/** The same bytes every time it is read. */
const asStream = (content: Uint8Array): AsyncIterable<Uint8Array> => ({
  async *[Symbol.asyncIterator]() {
    yield content;
  },
});

/** JSON has no infinity: "all there is" is a large number on the wire. */
const finite = (limit: number): number => Math.min(limit, Number.MAX_SAFE_INTEGER);
