import { CloseCode } from '@edgesync/blip';
import { EdgeError } from '@edgesync/errors';
import { isDefaultCollection, type Keyspace } from '@edgesync/document';
import type { ReplicationActivity } from '@edgesync/ports';
import { decodeCheckpoint, type ReplicatorContext, ActiveSession, StoredCheckpoints } from '@edgesync/replicator';
import { dial, type WsTransport } from '@edgesync/socket-ws';
import { subprotocolOf, versionOfSubprotocol } from '@edgesync/sync-protocol';
import { GOOD_CONNECTION_MS, STOP_MS } from '../tuning.js';
import { retryDelayMs, triesAgain } from './back-off.js';
import { failureOf, putOff, type Failure } from './failure.js';
import { OwnedTransport } from './owned-transport.js';
import type { RemoteAccess } from './remote-access.js';
import { replicatedCollections, syncUrl, type ReplicationPlan } from './replication-plan.js';

/**
 * Version vectors where the server has them, else rev trees; the server takes the first that it speaks
 * (docs/protocol/connection.md#sub-protocols).
 */
const OFFER = ([4, 3, 2] as const).map(subprotocolOf);

/** Events of a replication. */
export interface ReplicationObserver {
  log(message: string): void;
  warn(message: string): void;
  connected(): void;
  /** A connection could not be made, or was lost. */
  failed(failure: Failure): void;
  conflict(keyspace: Keyspace, id: string, winner: 'local' | 'remote'): void;
  documentFailed(direction: 'push' | 'pull', keyspace: Keyspace, id: string, failure: Failure): void;
}

export interface ReplicationOptions {
  readonly plan: ReplicationPlan;
  readonly access: RemoteAccess;
  readonly context: ReplicatorContext;
  readonly observer: ReplicationObserver;
  /** Whether it goes on trying after what will not pass by itself, such as wrong credentials. */
  readonly isPersistent?: boolean;
  /** From 0 up to 1. */
  readonly random: () => number;
  /** Whether this process may run it at this moment; always if absent. */
  readonly isOwner?: () => boolean;
}

/** Traffic of a replication so far, over all of its connections. */
export interface ReplicationTraffic {
  readonly documents: { readonly sent: number; readonly received: number };
  readonly bytes: { readonly sent: number; readonly received: number };
}

interface Connection {
  readonly transport: WsTransport;
  readonly replication: ActiveSession;
}

/**
 * Keeps one replication going: connects, replicates, and connects again when the connection is lost, until it is done,
 * stopped, or fails for good. Every connection is a {@link ActiveSession} of its own that starts at the checkpoints.
 */
export class Replication {
  readonly startedAt: number;
  /** Resolves with what ended it: undefined if it was done or stopped. Never rejects. */
  readonly ended: Promise<Failure | undefined>;

  activity: ReplicationActivity = 'Connecting';
  failure: Failure | undefined;
  /** Milliseconds since the epoch. */
  updatedAt: number;
  lastSuccess: number | undefined;
  nextRetry: number | undefined;
  conflicts = 0;
  documentsFailed = 0;

  private connection: Connection | undefined;
  private readonly carried = { documents: { sent: 0, received: 0 }, bytes: { sent: 0, received: 0 } };
  /** Documents carried when both sides were last equal. */
  private doneBefore = 0;
  /** Where the push of each collection stands, parallel to the plan; empty as long as that is not known. */
  private pushed: readonly number[] = [];
  private waiting = 0;
  private failures = 0;
  private isStopping = false;
  private startsOver = false;
  private interrupt: () => void = () => {};

  constructor(private readonly options: ReplicationOptions) {
    this.startedAt = this.updatedAt = options.context.now();
    this.ended = this.run();
  }

  get plan(): ReplicationPlan {
    return this.options.plan;
  }

  get traffic(): ReplicationTraffic {
    const { documents, bytes } = this.carried;
    const { connection } = this;
    if (!connection) return this.carried;
    return {
      documents: sum(documents, connection.replication.traffic),
      bytes: sum(bytes, connection.transport.wireBytes),
    };
  }

  /** Documents that are known to wait. */
  get pending(): number {
    return this.connection ? this.connection.replication.pending : this.waiting;
  }

  /** Percent of the work since both sides were last equal; undefined without work. */
  get progress(): number | undefined {
    const { sent, received } = this.traffic.documents;
    const done = sent + received - this.doneBefore;
    const { pending } = this;
    return pending === 0 ? undefined : Math.floor((100 * done) / (done + pending));
  }

  /** Looks up what waits to be pushed while there is no connection. @throws EdgeError `storage.*` */
  async countWaiting(): Promise<void> {
    const { plan, context } = this.options;
    if (this.connection || !plan.push) return;
    if (this.pushed.length === 0) this.pushed = await this.pushedBefore();
    if (this.connection) return;
    const infos = await Promise.all(plan.collections.map(({ keyspace }) => context.storage.collection(keyspace)));
    this.waiting = infos.reduce(
      (total, { lastSequence }, index) => total + Math.max(0, lastSequence - this.pushed[index]!),
      0,
    );
  }

  /** How far earlier runs have pushed. */
  private async pushedBefore(): Promise<readonly number[]> {
    const { plan, context } = this.options;
    const { uuid } = await context.storage.describe(plan.database);
    const checkpoints = new StoredCheckpoints(context.storage);
    return Promise.all(
      replicatedCollections(plan, uuid).map(async ({ local, checkpointId }) => {
        const body = await checkpoints.load(local, checkpointId);
        return decodeCheckpoint(body).local ?? 0;
      }),
    );
  }

  /** Tries again at once if it waits: what connections depend on may have changed. */
  retryNow(): void {
    if (this.activity === 'Offline' || this.activity === 'Connecting') this.reconnect();
  }

  /** Ends the connection and makes another one at once, with the current credentials. */
  reconnect(): void {
    if (this.isStopping) return;
    this.startsOver = true;
    this.failures = 0;
    this.interrupt();
  }

  /** Saves where it is and stops. */
  async stop(): Promise<void> {
    this.isStopping = true;
    this.interrupt();
    await this.ended;
  }

  /** Stops at this moment and saves nothing: another process may run it already. */
  async abort(): Promise<void> {
    this.isStopping = true;
    if (this.connection) this.connection.transport.terminate();
    else this.interrupt();
    await this.ended;
  }

  private async run(): Promise<Failure | undefined> {
    // The caller gets the object before it does something.
    await Promise.resolve();
    while (!this.isStopping) {
      this.startsOver = false;
      this.enter('Connecting');
      const failure = await this.connectAndReplicate().catch(failureOf);
      if (this.isStopping) break;
      if (this.startsOver) continue;
      const isNews = failure?.message !== this.failure?.message;
      this.failure = failure;
      if (!failure) break;
      this.options.observer.failed(failure);
      this.failures++;
      const { isPersistent = false } = this.options;
      if (!triesAgain(failure.kind, { continuous: this.plan.continuous, isPersistent }, this.failures)) break;
      await this.pause(failure, isNews);
    }
    if (this.isStopping) this.failure = undefined;
    this.enter('Stopped');
    return this.failure;
  }

  /** @param isNews whether the failure is another than before */
  private async pause({ message, kind }: Failure, isNews: boolean): Promise<void> {
    const { context, random, observer } = this.options;
    const delay = retryDelayMs(kind, this.failures, random());
    this.nextRetry = context.now() + delay;
    this.enter('Offline');
    const text = `offline: ${message}; next attempt in ${Math.round(delay / 100) / 10} s`;
    if (kind === 'permanent' && isNews) observer.warn(text);
    else observer.log(text);
    await new Promise<void>((resolve) => {
      const cancel = context.scheduler.schedule(delay, resolve);
      this.interrupt = () => {
        cancel();
        resolve();
      };
    });
    this.nextRetry = undefined;
  }

  private async connectAndReplicate(): Promise<Failure | undefined> {
    const transport = await this.connect();
    if (this.isStopping || this.startsOver) {
      transport.close(CloseCode.normal, '');
      return undefined;
    }
    const { scheduler } = this.options.context;
    const replication = await this.replicate(transport);
    this.connection = { transport, replication };
    this.options.observer.connected();
    this.enter('Active');
    let cancelStop = (): void => {};
    let cancelRestart: (() => void) | undefined;
    this.interrupt = () => {
      void replication.stop();
      cancelStop = scheduler.schedule(STOP_MS, () => transport.terminate());
    };
    if (this.isStopping || this.startsOver) this.interrupt();
    const cancelGood = scheduler.schedule(GOOD_CONNECTION_MS, () => (this.failures = 0));
    this.onIdle = () => {
      // What was put off needs a new connection; until then the rest goes on
      // (docs/protocol/replication.md#errors-on-rev-for-a-pusher).
      if (replication.deferred === 0 || !this.plan.continuous || cancelRestart) return;
      const delay = retryDelayMs('transient', ++this.failures, this.options.random());
      cancelRestart = scheduler.schedule(delay, () => {
        this.startsOver = true;
        this.interrupt();
      });
    };
    const { error } = await replication.ended;
    for (const cancel of [cancelStop, cancelGood, cancelRestart]) cancel?.();
    this.onIdle = () => {};
    const { deferred } = replication;
    this.disconnect();
    if (error !== undefined) return failureOf(error);
    if (deferred > 0) return putOff(deferred);
    if (!this.isStopping) this.lastSuccess = this.options.context.now();
    return undefined;
  }

  private onIdle: () => void = () => {};

  private async connect(): Promise<WsTransport> {
    const { plan, access, context } = this.options;
    const giveUp = new AbortController();
    this.interrupt = () => giveUp.abort();
    const { headers, tls, proxy } = await access.prepare();
    return dial(syncUrl(plan.remote), {
      protocols: OFFER,
      scheduler: context.scheduler,
      headers,
      ...(tls && { tls }),
      ...(proxy && { proxy }),
      signal: giveUp.signal,
      cookies: access.cookies,
    });
  }

  private async replicate(transport: WsTransport): Promise<ActiveSession> {
    const { plan, context, observer, isOwner } = this.options;
    const { uuid } = await context.storage.describe(plan.database).catch((error: unknown) => {
      transport.close(CloseCode.transient, '');
      throw error;
    });
    const version = versionOfSubprotocol(transport.protocol);
    if (version === undefined) throw new EdgeError('request.subprotocol');
    return new ActiveSession(isOwner ? new OwnedTransport(transport, isOwner) : transport, {
      context,
      version,
      database: plan.database,
      collections: replicatedCollections(plan, uuid),
      push: plan.push,
      pull: plan.pull,
      continuous: plan.continuous,
      checkpoints: new StoredCheckpoints(context.storage),
      // LiteCore up to 3.3 speaks the older form about the default collection alone, as either role
      // (docs/protocol/replication.md#session).
      withoutCollections: version < 4 && plan.collections.every(({ keyspace }) => isDefaultCollection(keyspace)),
      uuid: uuid.replace(/^(.{8})(.{4})(.{4})(.{4})(.{12})$/, '$1-$2-$3-$4-$5'),
      blip: { compression: 'congested' },
      onProgress: () => this.notice(),
      onConflict: (keyspace, id, winner) => {
        this.conflicts++;
        observer.conflict(keyspace, id, winner);
      },
      onDocumentError: (direction, keyspace, id, error) => {
        this.documentsFailed++;
        observer.documentFailed(direction, keyspace, id, documentFailure(error));
      },
    });
  }

  /** The session may have made progress. */
  private notice(): void {
    const { connection } = this;
    if (!connection) return;
    const now = this.options.context.now();
    this.updatedAt = now;
    const isIdle = connection.replication.isIdle;
    if (isIdle === (this.activity === 'Idle')) return;
    if (!isIdle) {
      this.activity = 'Active';
      return;
    }
    this.activity = 'Idle';
    this.failure = undefined;
    this.pushed = connection.replication.pushed;
    if (connection.replication.deferred === 0) this.lastSuccess = now;
    const { sent, received } = this.traffic.documents;
    this.doneBefore = sent + received;
    this.onIdle();
  }

  private disconnect(): void {
    const { replication } = this.connection!;
    if (replication.pushed.length > 0) this.pushed = replication.pushed;
    this.waiting = replication.pending;
    const { documents, bytes } = this.traffic;
    Object.assign(this.carried, { documents, bytes });
    this.connection = undefined;
  }

  private enter(activity: ReplicationActivity): void {
    this.activity = activity;
    this.updatedAt = this.options.context.now();
  }
}

interface TwoWays {
  readonly sent: number;
  readonly received: number;
}

const sum = (one: TwoWays, other: TwoWays): TwoWays => ({
  sent: one.sent + other.sent,
  received: one.received + other.received,
});

/** The cause of a refused revision: an error of ours, or the reply of the server. */
function documentFailure(error: unknown): Failure {
  if (error instanceof Error) return failureOf(error);
  const { domain, code, message } = error as { domain: string; code: number; message: string };
  const refusal = `${domain}/${code} ${message}`;
  return { message: refusal, domain: domain === 'LiteCore' ? 1 : 6, code, kind: 'permanent' };
}
