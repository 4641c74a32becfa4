import { createHash, randomBytes } from 'node:crypto';
import { cpSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { ANONYMOUS, type Principal } from '@edgesync/access';
import type { BlipConnectionOptions } from '@edgesync/blip';
import { loopbackPair } from '@edgesync/blip/testing';
import { Subscriptions } from '@edgesync/change-feed';
import type { Keyspace } from '@edgesync/document';
import type { ChangeRow, Storage, WriteResult } from '@edgesync/ports';
import type { SyncMode, SyncPolicy } from '@edgesync/sync-policy';
import type { ProtocolVersion } from '@edgesync/sync-protocol';
import { SqliteStorage } from '@edgesync/storage-sqlite';
import {
  ReplicatorContext,
  type ReplicatorContextOptions,
  PassiveSession,
  ActiveSession,
  type ActiveSessionOptions,
  type Sha1,
  StoredCheckpoints,
} from '../index.js';
import { CutTransport } from './cut-transport.js';
import { REAL_TIME } from './real-time.js';
import { ScriptedPeer } from './scripted-peer.js';

export const DATABASE = 'db';
export const DEFAULT: Keyspace = { database: DATABASE, scope: '_default', collection: '_default' };

export interface WorldOptions {
  /** Collections beside the default one, as `scope.collection`. */
  readonly collections?: readonly string[];
  readonly tuning?: ReplicatorContextOptions['tuning'];
  /** The wall clock, of the storage too. */
  readonly now?: () => number;
  /** Default: runs with the wall clock. */
  readonly uptime?: () => number;
  /** A folder that {@link World.backUp} returned: the world begins as it was then. */
  readonly from?: string;
  /** Puts something between the replicator and the real storage. */
  readonly wrap?: (storage: Storage) => Storage;
}

export interface ConnectOptions {
  readonly version?: ProtocolVersion;
  readonly mode?: SyncMode;
  readonly policy?: SyncPolicy;
  readonly principal?: Principal;
  readonly blip?: Pick<BlipConnectionOptions, 'compression' | 'limits'>;
}

export function createSha1(): Sha1 {
  const hash = createHash('sha1');
  return { update: (bytes) => void hash.update(bytes), digestBase64: () => hash.digest('base64') };
}

/** A server's database on disk, and clients connected to it without a socket. */
export class World implements AsyncDisposable {
  readonly faults: string[] = [];
  readonly context: ReplicatorContext;
  readonly storage: Storage;
  readonly sessions: PassiveSession[] = [];
  readonly peers: ScriptedPeer[] = [];
  private readonly copies: string[] = [];

  private constructor(
    private readonly sqlite: SqliteStorage,
    readonly folder: string,
    options: WorldOptions,
  ) {
    this.storage = options.wrap?.(sqlite) ?? sqlite;
    this.context = new ReplicatorContext({
      storage: this.storage,
      feeds: new Subscriptions(this.storage, REAL_TIME, { coolingMs: 1 }),
      scheduler: REAL_TIME,
      createSha1,
      randomBytes: (count) => randomBytes(count),
      now: options.now ?? Date.now,
      uptime: options.uptime ?? options.now ?? Date.now,
      nextTurn: setImmediate,
      log: {
        info: () => {},
        warn: (message) => this.faults.push(message),
        error: (message, error) => this.faults.push(`${message}: ${String(error)}`),
      },
      tuning: options.tuning,
    });
  }

  static async open(options: WorldOptions = {}): Promise<World> {
    const folder = mkdtempSync(join(tmpdir(), 'edgesync-'));
    if (options.from !== undefined) cpSync(options.from, folder, { recursive: true });
    const sqlite = new SqliteStorage();
    await sqlite.openDatabase({
      name: DATABASE,
      path: join(folder, 'db.cblite2'),
      create: true,
      keepSuperseded: true,
      ...(options.now && { now: options.now }),
      ...(options.collections && { collections: sharedCollections(options.collections) }),
    });
    return new World(sqlite, folder, options);
  }

  /** Copies the database as it is now. @returns the folder, which goes with the world */
  backUp(): string {
    const copy = `${this.folder}.${this.copies.length}`;
    cpSync(this.folder, copy, { recursive: true });
    this.copies.push(copy);
    return copy;
  }

  /** Connects a client. */
  async connect(options: ConnectOptions = {}): Promise<ScriptedPeer> {
    const [near, far] = loopbackPair({ scheduler: REAL_TIME });
    const session = new PassiveSession(far, {
      context: this.context,
      version: options.version ?? 3,
      database: await this.storage.describe(DATABASE),
      principal: options.principal ?? ANONYMOUS,
      policy: options.policy ?? { mode: options.mode ?? 'bidirectional' },
      ...(options.blip && { blip: options.blip }),
    });
    this.sessions.push(session);
    const peer = new ScriptedPeer(near);
    this.peers.push(peer);
    return peer;
  }

  /** Replicates another world's database with this one. @param options `frames`: the connection is lost after so many */
  async replicate(
    client: World,
    { frames, ...options }: Partial<ActiveSessionOptions> & ConnectOptions & { readonly frames?: number } = {},
  ): Promise<ActiveSession> {
    const [near, far] = loopbackPair({ scheduler: REAL_TIME });
    const version = options.version ?? 3;
    const session = new PassiveSession(far, {
      context: this.context,
      version,
      database: await this.storage.describe(DATABASE),
      principal: options.principal ?? ANONYMOUS,
      policy: options.policy ?? { mode: options.mode ?? 'bidirectional' },
    });
    this.sessions.push(session);
    return new ActiveSession(frames === undefined ? near : new CutTransport(near, frames), {
      context: client.context,
      version,
      database: DATABASE,
      collections: [{ local: DEFAULT, checkpointId: `cp-${client.folder}` }],
      push: true,
      pull: true,
      continuous: false,
      checkpoints: new StoredCheckpoints(client.storage),
      ...options,
    });
  }

  /** Every document: its ID, current body, and whether it is deleted. */
  async documents(keyspace = DEFAULT): Promise<Record<string, string>> {
    const { rows } = await this.storage.changes(keyspace, { since: 0, limit: 1_000_000 });
    const entries = rows.map(({ id, body, deleted }) => [id, deleted ? 'deleted' : (body as string)] as const);
    return Object.fromEntries(entries.sort(([a], [b]) => (a < b ? -1 : 1)));
  }

  /** Writes a document as REST would. */
  async put(
    id: string,
    body: object,
    options: { expect?: string; deleted?: boolean; keyspace?: Keyspace } = {},
  ): Promise<Stored> {
    const { expect, deleted = false, keyspace = DEFAULT } = options;
    const [result] = await this.storage.write(DATABASE, [
      { type: 'edit', keyspace, id, deleted, body: JSON.stringify(body), ...(expect !== undefined && { expect }) },
    ]);
    if (result?.status !== 'stored' || result.vector === undefined)
      throw new Error(`not stored: ${JSON.stringify(result)}`);
    return { ...result, vector: result.vector };
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await Promise.all(this.peers.map((peer) => peer.connection.close()));
    await Promise.all(this.sessions.map((session) => session.closed));
    await this.sqlite.close();
    for (const folder of [this.folder, ...this.copies]) rmSync(folder, { recursive: true });
  }
}

export type Stored = Extract<WriteResult, { status: 'stored' }> & { readonly vector: string };

function sharedCollections(names: readonly string[]): readonly { scope: string; collection: string }[] {
  const parse = (name: string): { scope: string; collection: string } => {
    const [scope, collection] = name.split('.') as [string, string];
    return { scope, collection };
  };
  return [{ scope: '_default', collection: '_default' }, ...names.map(parse)];
}

/** A storage that gives bodies in UTF-8 where that is wanted, as one behind NATS does. */
export function givingUtf8(storage: Storage): Storage {
  const encode = (row: ChangeRow): ChangeRow =>
    typeof row.body === 'string' ? { ...row, body: new TextEncoder().encode(row.body) } : row;
  return withMethods(storage, {
    changes: async (keyspace, options) => {
      const page = await storage.changes(keyspace, options);
      return options.utf8 ? { ...page, rows: page.rows.map(encode) } : page;
    },
  });
}

/** A storage some of whose methods are others. */
export function withMethods(storage: Storage, methods: Partial<Storage>): Storage {
  return new Proxy(storage, {
    get: (target, name) => {
      const method = methods[name as keyof Storage] ?? target[name as keyof Storage];
      return (method as () => unknown).bind(target);
    },
  });
}
