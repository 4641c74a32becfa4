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
  QueryRunner,
  ReadOptions,
  Storage,
  StoredRevision,
  WithBodies,
  WriteOptions,
  WriteRequest,
  WriteResult,
} from '@edgesync/ports';
import type { DatabaseUsage } from './disk-state.js';
import type { DatabaseOptions } from './open-database.js';
import { SqliteDatabase } from './sqlite-database.js';

/** The storage ports over open SQLite databases. */
export class SqliteStorage implements Storage, QueryRunner {
  private readonly open = new Map<string, SqliteDatabase>();
  /** Databases that are not open yet, or never will be: the reason. */
  private readonly pending = new Map<string, () => string>();
  private closed = false;

  /**
   * Opens a database and serves it under its name.
   * @throws EdgeError `config.invalid` if the name is taken, and as {@link SqliteDatabase.open}
   */
  async openDatabase(options: DatabaseOptions): Promise<SqliteDatabase> {
    if (this.open.has(options.name)) throw new EdgeError('config.invalid', `two databases are called ${options.name}`);
    const database = await SqliteDatabase.open(options);
    if (this.closed) {
      await database.close();
      throw new EdgeError('storage.closed');
    }
    this.open.set(options.name, database);
    this.pending.delete(options.name);
    return database;
  }

  /** Answers for a database that is not open yet with `storage.unavailable` and a reason. */
  announce(name: string, reason: () => string): void {
    this.pending.set(name, reason);
  }

  /** Closes one database: what was queued is committed first, and from now on there is no database of that name. */
  async closeDatabase(name: string): Promise<void> {
    const database = this.open.get(name);
    this.open.delete(name);
    this.pending.delete(name);
    await database?.close();
  }

  /** For each open database, how many writes wait for a transaction. */
  queuedWrites(): [count: number, database: string][] {
    return [...this.open.values()].map(({ queuedWrites, name }) => [queuedWrites, name]);
  }

  /** For each open database, how many statements run, or wait for their turn. */
  queryLoad(of: 'running' | 'waiting'): [count: number, database: string][] {
    return [...this.open.values()].map(({ queryLoad, name }) => [queryLoad[of], name]);
  }

  /** Disk space of each open database; without those whose disk does not answer. */
  usage(): [usage: DatabaseUsage, database: string][] {
    return [...this.open.values()].flatMap((database) => {
      try {
        return [[database.usage(), database.name] as [DatabaseUsage, string]];
      } catch {
        return [];
      }
    });
  }

  /** The indexes of each open database; without those that are being closed. */
  indexStatuses(): [status: IndexStatus, database: string][] {
    return [...this.open.values()].flatMap((database) => {
      try {
        return database.indexes().map((status): [IndexStatus, string] => [status, database.name]);
      } catch {
        return [];
      }
    });
  }

  /** Closes every database; what was queued is committed first. From now on everything throws `storage.closed`. */
  async close(): Promise<void> {
    this.closed = true;
    await Promise.all([...this.open.values()].map((database) => database.close()));
  }

  async databases(): Promise<readonly string[]> {
    return [...this.open.keys(), ...this.pending.keys()].sort();
  }

  async describe(database: string): Promise<DatabaseInfo> {
    return this.find(database).describe();
  }

  async collection(keyspace: Keyspace): Promise<CollectionInfo> {
    return this.find(keyspace.database).collection(keyspace);
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
    options?: ReadOptions,
  ): Promise<readonly (StoredRevision | undefined)[]> {
    return this.find(keyspace.database).read(keyspace, ids, options);
  }

  async readRevision(keyspace: Keyspace, id: string, rev: string): Promise<DocumentRevision | undefined> {
    return this.find(keyspace.database).readRevision(keyspace, id, rev);
  }

  async list(keyspace: Keyspace, options: ListOptions): Promise<ListPage> {
    return this.find(keyspace.database).list(keyspace, options);
  }

  async write(
    database: string,
    requests: readonly WriteRequest[],
    options?: WriteOptions,
  ): Promise<readonly WriteResult[]> {
    return this.find(database).write(requests, options);
  }

  async changes(keyspace: Keyspace, options: ChangesOptions): Promise<ChangePage> {
    return this.find(keyspace.database).changes(keyspace, options);
  }

  watch(keyspace: Keyspace, listener: (event: ChangedEvent) => void): () => void {
    return this.find(keyspace.database).watch(keyspace, listener);
  }

  async putBlob(
    database: string,
    content: Uint8Array | AsyncIterable<Uint8Array>,
    options?: { readonly expected?: Partial<BlobInfo>; readonly limit?: number },
  ): Promise<BlobInfo> {
    return this.find(database).putBlob(content, options);
  }

  async openBlob(database: string, digest: string): Promise<BlobContent | undefined> {
    return this.find(database).openBlob(digest);
  }

  async missingBlobs(database: string, digests: readonly string[]): Promise<readonly string[]> {
    return this.find(database).missingBlobs(digests);
  }

  async loadCheckpoint(keyspace: Keyspace, client: string): Promise<Checkpoint | undefined> {
    return this.find(keyspace.database).loadCheckpoint(keyspace, client);
  }

  async saveCheckpoint(
    keyspace: Keyspace,
    client: string,
    rev: string,
    body: string,
    options?: WriteOptions,
  ): Promise<string> {
    return this.find(keyspace.database).saveCheckpoint(keyspace, client, rev, body, options);
  }

  async query(keyspace: Keyspace, statement: string, options?: QueryOptions): Promise<QueryResult> {
    return this.find(keyspace.database).query(keyspace, statement, options);
  }

  async explain(keyspace: Keyspace, statement: string, options?: QueryOptions): Promise<QueryPlan> {
    return this.find(keyspace.database).explain(keyspace, statement, options);
  }

  async indexes(database: string): Promise<readonly IndexStatus[]> {
    return this.find(database).indexes();
  }

  private find(name: string): SqliteDatabase {
    if (this.closed) throw new EdgeError('storage.closed');
    const database = this.open.get(name);
    if (database) return database;
    const reason = this.pending.get(name);
    if (reason) throw new EdgeError('storage.unavailable', reason());
    throw new EdgeError('keyspace.unknown', `no database ${name}`);
  }
}
