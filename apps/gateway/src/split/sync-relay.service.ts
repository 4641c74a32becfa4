import type { IncomingMessage } from 'node:http';
import type { Socket } from 'node:net';
import { type BeforeApplicationShutdown, Inject, Injectable } from '@nestjs/common';
import type { Principal } from '@edgesync/access';
import { SessionClient, WorkerRegistry, type Worker } from '@edgesync/bus-nats';
import type { SessionEnding, SessionTraffic } from '@edgesync/bus-contract';
import { EdgeError, isEdgeError } from '@edgesync/errors';
import {
  ACTIVE_TASKS,
  AUDIT_LOG,
  authenticateRequest,
  AUTHENTICATOR,
  databaseOfSyncTarget,
  LOGGERS,
  METRICS,
  newSession,
  refuseUpgrade,
  signHandshake,
  type ActiveTasks,
  type AuditLog,
  type Authenticator,
  type Logger,
  type Loggers,
  type Metrics,
  type ShownTask,
} from '@edgesync/platform';
import { chooseVersion, parseSubprotocols, PROTOCOL_VERSIONS, subprotocolOf } from '@edgesync/sync-protocol';
import { connectTo, KEEP_ALIVE_MS, requestHead, splice, type WorkerConnection } from './worker-connection.js';

/** {@link SyncRelay} signs with it. */
export const HANDSHAKE_SECRET = Symbol('HANDSHAKE_SECRET');

/** Upgrades that wait for a password check or a worker; more are refused for now. */
const MAX_PENDING = 1_000;
/** Workers tried for one app: the first ones may have died since their announcement. */
const MAX_TRIES = 3;
/** A worker that was asked to end a session has this long: more than it takes for what is in flight. Milliseconds. */
const END_MS = 2_500;

/** An app whose bytes are passed on. */
interface Relayed {
  readonly principal: Principal;
  readonly database: string;
  /** `address:port` */
  readonly remote: string;
  readonly client: Socket;
  readonly connection: WorkerConnection;
  /** ID of the worker, and what it knows the session as. */
  readonly worker: string;
  readonly session: string;
}

/** A {@link Relayed} and when it began. */
interface Connected extends Relayed {
  readonly id: number;
  /** Unix milliseconds. */
  readonly since: number;
  /** Resolves when both ends are closed. */
  readonly closed: Promise<void>;
}

/**
 * Hands apps that want to sync to replication workers. The gateway knows who an app is; all else about the upgrade, and
 * all that follows it, is between the app and the worker: bytes pass as they are.
 */
@Injectable()
export class SyncRelay implements BeforeApplicationShutdown {
  private readonly log: Logger;
  private readonly connected = new Set<Connected>();
  private pending = 0;
  private isDraining = false;

  constructor(
    @Inject(AUTHENTICATOR) private readonly authenticator: Authenticator,
    @Inject(WorkerRegistry) private readonly workers: WorkerRegistry,
    @Inject(SessionClient) private readonly sessions: SessionClient,
    @Inject(HANDSHAKE_SECRET) private readonly secret: string,
    @Inject(ACTIVE_TASKS) private readonly tasks: ActiveTasks,
    @Inject(AUDIT_LOG) private readonly audit: AuditLog,
    @Inject(LOGGERS) loggers: Loggers,
    @Inject(METRICS) metrics: Metrics,
  ) {
    this.log = loggers.domain('Sync');
    const gauge = (name: string, help: string, value: () => number): void =>
      metrics.registry.collected(name, help, 'gauge', [], () => [[value()]]);
    gauge('edgesync_relayed_connections', 'Sync connections passed on to workers.', () => this.connected.size);
    gauge(
      'edgesync_replication_workers',
      'Replication workers that announced themselves lately.',
      () => workers.workers().length,
    );
    tasks.include(() => this.shown());
  }

  /** Handles one request of the `upgrade` event of the public port. */
  readonly upgrade = (request: IncomingMessage, socket: Socket, head: Buffer): void => {
    const ignore = (): void => {};
    socket.on('error', ignore);
    this.pending++;
    this.relay(request, socket, head)
      .catch(async (error: unknown) => {
        if (!isEdgeError(error)) this.log.warning('upgrade failed', error);
        await this.audit.written();
        if (socket.writable) refuseUpgrade(socket, error);
        else socket.destroy();
      })
      .finally(() => this.pending--);
  };

  /** Ends all connections so that the apps come back, and find another gateway or this one when it is back. */
  async beforeApplicationShutdown(): Promise<void> {
    this.isDraining = true;
    await Promise.all([...this.connected].map((connected) => this.end(connected, 'gateway-stops')));
  }

  private async relay(request: IncomingMessage, client: Socket, head: Buffer): Promise<void> {
    if (this.isDraining) throw new EdgeError('server.draining');
    if (this.pending > MAX_PENDING) throw new EdgeError('server.overloaded');
    const { headers, url } = request;
    const database = databaseOfSyncTarget(url);
    const { tokens, session: oneTime } = parseSubprotocols(headers['sec-websocket-protocol']);
    // One-time sessions are not served, and must not be a way around the credentials they stand for.
    if (oneTime !== undefined && headers.authorization === undefined) throw new EdgeError('auth.required');
    const principal = await authenticateRequest(this.authenticator, request);
    await this.audit.written();
    const remote = `${client.remoteAddress}:${client.remotePort}`;
    // Without a common protocol any worker can say so.
    const protocol = subprotocolOf(chooseVersion(tokens) ?? PROTOCOL_VERSIONS[0]!);
    const { worker, connection } = await this.connect(protocol);
    const { socket: toWorker } = connection;
    if (client.destroyed || this.isDraining) {
      toWorker.destroy();
      throw new EdgeError('server.draining');
    }
    const session = newSession();
    const handshake = signHandshake(this.secret, { principal, database, worker: worker.id, remote, session });
    toWorker.write(requestHead(request, handshake));
    if (head.length > 0) toWorker.write(head);
    this.attend({ principal, database, remote, client, connection, worker: worker.id, session });
  }

  private async connect(protocol: string): Promise<{ worker: Worker; connection: WorkerConnection }> {
    const tried = new Set<string>();
    while (tried.size < MAX_TRIES) {
      const worker = this.workers.choose(protocol, tried);
      if (!worker) break;
      try {
        return { worker, connection: await connectTo(worker.address) };
      } catch (error) {
        tried.add(worker.id);
        this.log.warning(`the worker at ${worker.address} cannot be reached`, error);
      }
    }
    throw new EdgeError('sync.no-worker');
  }

  private attend(relayed: Relayed): void {
    const { client, connection, principal } = relayed;
    client.setTimeout(0);
    client.setNoDelay(true);
    client.setKeepAlive(true, KEEP_ALIVE_MS);
    const { promise: closed, resolve } = Promise.withResolvers<void>();
    const connected: Connected = { ...relayed, id: this.tasks.nextId(), since: Date.now(), closed };
    this.connected.add(connected);
    const unwatch = this.authenticator.watch(principal, () => void this.end(connected, 'user-changed'));
    splice(client, connection, () => {
      unwatch();
      this.connected.delete(connected);
      resolve();
    });
  }

  /**
   * Has the worker close a connection with the code that makes the app come back. If that takes too long the connection
   * is broken, after which apps come back too.
   */
  private async end({ client, connection, worker, session, closed }: Connected, why: SessionEnding): Promise<void> {
    if (!this.sessions.end(worker, session, why)) client.destroySoon();
    const cutOff = setTimeout(() => {
      client.destroy();
      connection.socket.destroy();
    }, END_MS);
    await closed;
    clearTimeout(cutOff);
  }

  /**
   * Connections as `_active_tasks` shows them (docs/protocol/rest.md#active-tasks); without counts where a worker does
   * not report them.
   */
  private async shown(): Promise<ShownTask[]> {
    const byWorker = new Map<string, string[]>();
    for (const { worker, session } of this.connected) {
      const sessions = byWorker.get(worker);
      if (sessions) sessions.push(session);
      else byWorker.set(worker, [session]);
    }
    const traffic = new Map<string, SessionTraffic>();
    const ask = async ([worker, sessions]: [string, string[]]): Promise<void> => {
      try {
        for (const row of await this.sessions.traffic(worker, sessions)) traffic.set(row[0], row);
      } catch (error) {
        this.log.warning(`worker ${worker} does not report what its sessions carried`, error);
      }
    };
    await Promise.all([...byWorker].map(ask));
    const now = Date.now();
    return [...this.connected].map((connected) => describe(connected, traffic.get(connected.session), now));
  }
}

function describe(
  { id, since, database, principal, remote }: Connected,
  traffic: SessionTraffic | undefined,
  now: number,
): ShownTask {
  return {
    task_id: id,
    type: 'sync',
    age_secs: Math.max(0, Math.floor((now - since) / 1_000)),
    db: database,
    ks: database,
    ...(principal.name !== undefined && { user: principal.name }),
    ip: remote.slice(0, remote.lastIndexOf(':')),
    ...(traffic && { revs_sent: traffic[1], revs_received: traffic[2] }),
  };
}
