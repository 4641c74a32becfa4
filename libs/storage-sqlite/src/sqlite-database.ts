import { DEFAULT_QUERY_LIMITS } from '@edgesync/config';
import { EdgeError } from '@edgesync/errors';
import type { Keyspace } from '@edgesync/document';
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
  ReadOptions,
  StoredRevision,
  WithBodies,
  WriteOptions,
  WriteRequest,
  WriteResult,
} from '@edgesync/ports';
import type { DatabaseUsage } from './disk-state.js';
import { openParts, type DatabaseOptions, type DatabaseParts } from './open-database.js';
import type { Collection } from './collections.js';
import { toStorageError } from './storage-error.js';
import type { DatabaseQueries, QueryLimits } from './query/database-queries.js';
import { checkIntegrity } from './integrity.js';
import { BLOB_LIMIT, CHARACTERS_PER_WEIGHT } from './tuning.js';

/** One open database. It owns its bundle until {@link close}; from then on everything throws `storage.closed`. */
export class SqliteDatabase {
  private closing: Promise<void> | undefined;
  private queries: Promise<DatabaseQueries> | undefined;
  private startedQueries: DatabaseQueries | undefined;

  private constructor(
    readonly name: string,
    readonly path: string,
    private readonly parts: DatabaseParts,
    private readonly queryLimits: QueryLimits,
  ) {}

  /** @throws EdgeError `storage.missing`, `storage.foreign`, `storage.corrupt`, `storage.locked` and other `storage.*` */
  static async open(options: DatabaseOptions): Promise<SqliteDatabase> {
    const limits = options.queryLimits ?? DEFAULT_QUERY_LIMITS;
    return new SqliteDatabase(options.name, options.path, await openParts(options), limits);
  }

  /** Writes that wait for a transaction. */
  get queuedWrites(): number {
    return this.parts.commit.length;
  }

  /** Statements that run, and that wait for their turn. */
  get queryLoad(): { readonly running: number; readonly waiting: number } {
    return this.startedQueries?.load ?? { running: 0, waiting: 0 };
  }

  /** Its disk space. @throws the file system's error */
  usage(): DatabaseUsage {
    return this.parts.disk.usage();
  }

  describe(): DatabaseInfo {
    const collections = this.parts.collections.all().map((collection) => this.describeCollection(collection));
    const { uuid, source, clock } = this.parts;
    const { writeObstacle } = this.parts.disk;
    return {
      name: this.name,
      path: this.path,
      uuid,
      source,
      clock: clock.last,
      collections,
      ...(writeObstacle && { writeObstacle }),
    };
  }

  collection(keyspace: Keyspace): CollectionInfo {
    return this.describeCollection(this.parts.collections.get(keyspace));
  }

  read(keyspace: Keyspace, ids: readonly string[], options?: WithBodies): (DocumentRevision | undefined)[];
  read(keyspace: Keyspace, ids: readonly string[], options?: ReadOptions): (StoredRevision | undefined)[];
  read(keyspace: Keyspace, ids: readonly string[], options?: ReadOptions): (StoredRevision | undefined)[] {
    const collection = this.parts.collections.get(keyspace);
    return this.ask(() => this.parts.reader.read(collection, ids, options?.body ?? true));
  }

  readRevision(keyspace: Keyspace, id: string, rev: string): DocumentRevision | undefined {
    const collection = this.parts.collections.get(keyspace);
    return this.ask(() => this.parts.reader.readRevision(collection, id, rev));
  }

  list(keyspace: Keyspace, options: ListOptions): ListPage {
    const collection = this.parts.collections.get(keyspace);
    return this.ask(() => this.parts.reader.list(collection, options));
  }

  changes(keyspace: Keyspace, options: ChangesOptions): ChangePage {
    const collection = this.parts.collections.get(keyspace);
    return this.ask(() => this.parts.reader.changes(collection, options));
  }

  watch(keyspace: Keyspace, listener: (event: ChangedEvent) => void): () => void {
    return this.parts.collections.get(keyspace).watch(listener);
  }

  async write(requests: readonly WriteRequest[], options?: WriteOptions): Promise<readonly WriteResult[]> {
    const targets = requests.map(({ keyspace }) => this.parts.collections.get(keyspace));
    return this.parts.commit.run(weigh(requests), () =>
      this.parts.doneWrites.once(options?.idempotencyKey, () =>
        requests.map((request, index) => this.parts.writePath.apply(targets[index]!, request)),
      ),
    );
  }

  loadCheckpoint(keyspace: Keyspace, client: string): Checkpoint | undefined {
    const collection = this.parts.collections.get(keyspace);
    return this.ask(() => this.parts.checkpoints.load(collection, client));
  }

  async saveCheckpoint(
    keyspace: Keyspace,
    client: string,
    rev: string,
    body: string,
    options?: WriteOptions,
  ): Promise<string> {
    const collection = this.parts.collections.get(keyspace);
    const outcome = await this.parts.commit.run(1, () => {
      // A conflict is an answer, not a fault of the transaction.
      try {
        return this.parts.doneWrites.once(options?.idempotencyKey, () =>
          this.parts.checkpoints.save(collection, client, rev, body),
        );
      } catch (error) {
        if (error instanceof EdgeError) return error;
        throw error;
      }
    });
    if (outcome instanceof EdgeError) throw outcome;
    return outcome;
  }

  async putBlob(
    content: Uint8Array | AsyncIterable<Uint8Array>,
    options?: { readonly expected?: Partial<BlobInfo>; readonly limit?: number },
  ): Promise<BlobInfo> {
    const register = (info: BlobInfo): Promise<void> =>
      this.parts.commit.run(1, () => this.parts.blobTable.register(info, this.parts.nowSeconds()));
    try {
      const checks = { limit: options?.limit ?? BLOB_LIMIT, ...(options?.expected && { expected: options.expected }) };
      return await this.parts.blobFiles.store(content, checks, register);
    } catch (error) {
      throw toStorageError(error);
    }
  }

  openBlob(digest: string): BlobContent | undefined {
    const info = this.ask(() => this.parts.blobTable.find(digest));
    return info && this.parts.blobFiles.open(info);
  }

  async missingBlobs(digests: readonly string[]): Promise<string[]> {
    const { blobTable, commit, nowSeconds } = this.parts;
    const found = this.ask(() => digests.map((digest) => blobTable.find(digest)));
    if (!found.some((info) => info?.orphaned)) return digests.filter((_, index) => !found[index]);
    // Upkeep may collect one before the transaction has its turn, so the transaction looks again.
    return commit.run(digests.length, () => blobTable.touch(digests, nowSeconds()));
  }

  /** Runs a statement, as {@link QueryRunner.query}. */
  async query(keyspace: Keyspace, statement: string, options?: QueryOptions): Promise<QueryResult> {
    return (await this.loadQueries()).query(keyspace, statement, options);
  }

  async explain(keyspace: Keyspace, statement: string, options?: QueryOptions): Promise<QueryPlan> {
    return (await this.loadQueries()).explain(keyspace, statement, options);
  }

  /** The indexes of the configuration, by name. */
  indexes(): readonly IndexStatus[] {
    return this.ask(() => this.parts.indexes?.statuses() ?? []);
  }

  /** Gives space back now instead of later. */
  sweep(): Promise<void> {
    return this.parts.upkeep.sweep();
  }

  /** Reads the whole database and reports everything that is not as it must be. */
  async checkIntegrity(): Promise<string[]> {
    const { connection, blobFiles, indexes } = this.parts;
    return [...(await checkIntegrity(connection.handle, blobFiles)), ...(indexes?.check() ?? [])];
  }

  /** Commits what is queued, folds the log into the file and lets go of the bundle. */
  close(): Promise<void> {
    return (this.closing ??= this.shutDown());
  }

  private async shutDown(): Promise<void> {
    const { upkeep, builder, blobFiles, commit, connection, lock } = this.parts;
    upkeep.stop();
    builder?.stop();
    await (await this.queries)?.close();
    await blobFiles.close();
    await commit.close();
    try {
      await connection.dataSource.destroy();
    } finally {
      lock.release();
    }
  }

  /** Without statements nothing of what runs them is loaded. */
  private loadQueries(): Promise<DatabaseQueries> {
    if (this.closing) throw new EdgeError('storage.closed');
    return (this.queries ??= this.startQueries());
  }

  private async startQueries(): Promise<DatabaseQueries> {
    const { file, collections, nowSeconds, report } = this.parts;
    const { DatabaseQueries } = await import('./query/database-queries.js');
    const { name, queryLimits: limits } = this;
    return (this.startedQueries = new DatabaseQueries({ name, file, collections, limits, nowSeconds, report }));
  }

  /** Reads something. */
  private ask<T>(action: () => T): T {
    if (this.closing) throw new EdgeError('storage.closed');
    try {
      return action();
    } catch (error) {
      throw toStorageError(error);
    }
  }

  private describeCollection(collection: Collection): CollectionInfo {
    const { scope, collection: name } = collection.keyspace;
    const expired = this.ask(() => this.parts.reader.countExpired(collection));
    return { scope, collection: name, documents: collection.live - expired, lastSequence: collection.lastSequence };
  }
}

/** The cost of writing: documents, and long bodies in proportion. */
function weigh(requests: readonly WriteRequest[]): number {
  let weight = requests.length;
  for (const request of requests)
    if (request.type !== 'purge') weight += Math.floor(request.body.length / CHARACTERS_PER_WEIGHT);
  return weight;
}
