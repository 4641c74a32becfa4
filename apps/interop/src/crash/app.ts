import { createHash, randomBytes } from 'node:crypto';
import { join } from 'node:path';
import { systemScheduler } from '@edgesync/async';
import { Subscriptions } from '@edgesync/change-feed';
import { ReplicatorContext, ActiveSession, StoredCheckpoints } from '@edgesync/replicator';
import { dial, type WsTransport } from '@edgesync/socket-ws';
import { SqliteStorage } from '@edgesync/storage-sqlite';
import { subprotocolOf } from '@edgesync/sync-protocol';

const RECONNECT_MS = 50;
const DEFAULT = { database: 'db', scope: '_default', collection: '_default' };

/** An app with a database of its own that syncs whenever it can. */
export class App {
  private constructor(
    readonly name: string,
    readonly storage: SqliteStorage,
    private readonly context: ReplicatorContext,
    private readonly version: 3 | 4,
  ) {}

  static async open(folder: string, name: string, version: 3 | 4): Promise<App> {
    const storage = new SqliteStorage();
    await storage.openDatabase({
      name: 'db',
      path: join(folder, `${name}.cblite2`),
      create: true,
      keepSuperseded: true,
    });
    const context = new ReplicatorContext({
      storage,
      feeds: new Subscriptions(storage, systemScheduler),
      scheduler: systemScheduler,
      createSha1: () => {
        const hash = createHash('sha1');
        return { update: (bytes) => void hash.update(bytes), digestBase64: () => hash.digest('base64') };
      },
      randomBytes: (count) => randomBytes(count),
      now: Date.now,
      uptime: () => performance.now(),
      nextTurn: setImmediate,
    });
    return new App(name, storage, context, version);
  }

  /** Syncs once, or until the server is gone. @returns revisions moved, undefined if it did not come to its end */
  async sync(port: number): Promise<number | undefined> {
    const transport = await this.dial(port);
    if (!transport) return undefined;
    const replication = this.replicate(transport, false);
    const { error } = await replication.ended;
    return error === undefined ? replication.traffic.sent + replication.traffic.received : undefined;
  }

  /**
   * Syncs all the time: connects again, at once, whenever the connection ends.
   * @param onEnd receives the code of every connection that ended
   * @returns stops it
   */
  follow(port: number, onEnd: (code: number) => void = () => {}): () => Promise<void> {
    let stopped = false;
    let current: ActiveSession | undefined;
    const run = async (): Promise<void> => {
      while (!stopped) {
        const transport = await this.dial(port);
        if (!transport) {
          await new Promise((resolve) => setTimeout(resolve, RECONNECT_MS));
          continue;
        }
        current = this.replicate(transport, true);
        if (stopped) void current.stop();
        const { close } = await current.ended;
        if (!stopped) onEnd(close.code);
      }
    };
    const running = run();
    return async () => {
      stopped = true;
      void current?.stop();
      await running;
    };
  }

  private dial(port: number): Promise<WsTransport | undefined> {
    const url = `ws://127.0.0.1:${port}/db/_blipsync`;
    return dial(url, { protocols: [subprotocolOf(this.version)] }).catch(() => undefined);
  }

  private replicate(transport: WsTransport, continuous: boolean): ActiveSession {
    return new ActiveSession(transport, {
      context: this.context,
      version: this.version,
      database: 'db',
      collections: [{ local: DEFAULT, checkpointId: `cp-${this.name}` }],
      push: true,
      pull: true,
      continuous,
      checkpoints: new StoredCheckpoints(this.storage),
      withoutCollections: this.version === 3,
    });
  }

  /** Changes some documents, its own and shared ones, some with blobs. */
  async edit(random: () => number, round: number): Promise<void> {
    for (let step = 0; step < 15; step++) {
      const id = random() < 0.2 ? `shared ${Math.floor(random() * 5)}` : `${this.name} ${Math.floor(random() * 60)}`;
      const [stored] = await this.storage.read(DEFAULT, [id]);
      const isLive = stored !== undefined && !stored.deleted;
      const deleted = isLive && random() < 0.15;
      const body: Record<string, unknown> = {
        by: this.name,
        round,
        step,
        text: 'x'.repeat(Math.floor(random() * 600)),
      };
      if (random() < 0.2) {
        const content = randomBytes(1 + Math.floor(random() * 100_000));
        body['pic'] = { '@type': 'blob', ...(await this.storage.putBlob('db', content)) };
      }
      await this.storage.write('db', [
        {
          type: 'edit',
          keyspace: DEFAULT,
          id,
          deleted,
          body: deleted ? '{}' : JSON.stringify(body),
          ...(isLive && { expect: stored.rev }),
        },
      ]);
    }
  }
}

/** Documents by ID: the body, or that it is deleted. */
export async function documentsOf(storage: SqliteStorage): Promise<Record<string, string>> {
  const { rows } = await storage.changes(DEFAULT, { since: 0, limit: 1_000_000 });
  const entries = rows.map(({ id, body, deleted }) => [id, deleted ? 'deleted' : (body as string)] as const);
  return Object.fromEntries(entries.sort(([a], [b]) => (a < b ? -1 : 1)));
}

/** Digests of blobs that some document refers to and that are not there or not what they should be. */
export async function brokenBlobs(storage: SqliteStorage): Promise<readonly string[]> {
  const broken: string[] = [];
  const bodies = Object.values(await documentsOf(storage)).filter((body) => body.includes('"sha1-'));
  for (const body of bodies) {
    const { digest } = (JSON.parse(body) as { pic: { digest: string } }).pic;
    const blob = await storage.openBlob('db', digest);
    const hash = createHash('sha1');
    for await (const piece of blob?.read() ?? []) hash.update(piece);
    if (!blob || `sha1-${hash.digest('base64')}` !== digest) broken.push(digest);
  }
  return broken;
}
