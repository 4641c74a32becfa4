import type { IncomingMessage } from 'node:http';
import type { Socket } from 'node:net';
import { type BeforeApplicationShutdown, Inject, Injectable } from '@nestjs/common';
import type { Principal } from '@edgesync/access';
import { WorkerRegistry, type Worker } from '@edgesync/bus-nats';
import { EdgeError, isEdgeError } from '@edgesync/errors';
import {
  ACTIVE_TASKS,
  authenticateRequest,
  AUTHENTICATOR,
  databaseOfPath,
  LOGGERS,
  METRICS,
  refuseUpgrade,
  signHandshake,
  type ActiveTasks,
  type Authenticator,
  type Logger,
  type Loggers,
  type Metrics,
} from '@edgesync/platform';
import { chooseVersion, parseSubprotocols, PROTOCOL_VERSIONS, subprotocolOf } from '@edgesync/sync-protocol';
import { connectTo, KEEP_ALIVE_MS, requestHead, splice } from './worker-connection.js';

/** {@link SyncRelay} signs with it. */
export const HANDSHAKE_SECRET = Symbol('HANDSHAKE_SECRET');

/** Upgrades that wait for a password check or a worker; more are told to come later. */
const MAX_PENDING = 1_000;
/** Workers tried for one app: the first ones may have died since they were heard of. */
const MAX_TRIES = 3;

/** An app, once it is known who it is. */
interface Caller {
  readonly principal: Principal;
  readonly database: string;
  /** `address:port` */
  readonly remote: string;
}

/**
 * Hands apps that want to sync to replication workers. The gateway knows who an app is; all else about the upgrade, and
 * all that follows it, is between the app and the worker: bytes pass as they are.
 */
@Injectable()
export class SyncRelay implements BeforeApplicationShutdown {
  private readonly log: Logger;
  private readonly clients = new Set<Socket>();
  private pending = 0;
  private isDraining = false;

  constructor(
    @Inject(AUTHENTICATOR) private readonly authenticator: Authenticator,
    @Inject(WorkerRegistry) private readonly workers: WorkerRegistry,
    @Inject(HANDSHAKE_SECRET) private readonly secret: string,
    @Inject(ACTIVE_TASKS) private readonly tasks: ActiveTasks,
    @Inject(LOGGERS) loggers: Loggers,
    @Inject(METRICS) metrics: Metrics,
  ) {
    this.log = loggers.domain('Sync');
    const gauge = (name: string, help: string, value: () => number): void =>
      metrics.registry.collected(name, help, 'gauge', [], () => [[value()]]);
    gauge('edgesync_relayed_connections', 'Sync connections passed on to workers.', () => this.clients.size);
    gauge('edgesync_replication_workers', 'Replication workers heard of lately.', () => workers.workers().length);
  }

  /** Handles one request of the `upgrade` event of the public port. */
  readonly upgrade = (request: IncomingMessage, socket: Socket, head: Buffer): void => {
    const ignore = (): void => {};
    socket.on('error', ignore);
    this.pending++;
    this.relay(request, socket, head)
      .catch((error: unknown) => {
        if (!isEdgeError(error)) this.log.warning('upgrade failed', error);
        if (socket.writable) refuseUpgrade(socket, error);
        else socket.destroy();
      })
      .finally(() => this.pending--);
  };

  /** Apps whose connection breaks come back by themselves, and find another gateway or this one when it is back. */
  beforeApplicationShutdown(): void {
    this.isDraining = true;
    for (const client of this.clients) client.destroySoon();
  }

  private async relay(request: IncomingMessage, client: Socket, head: Buffer): Promise<void> {
    if (this.isDraining) throw new EdgeError('server.draining');
    if (this.pending > MAX_PENDING) throw new EdgeError('server.overloaded');
    const { headers, url } = request;
    const database = databaseOfPath(url);
    const { tokens, session } = parseSubprotocols(headers['sec-websocket-protocol']);
    // One-time sessions are not served, and must not be a way around the credentials they stand for.
    if (session !== undefined && headers.authorization === undefined) throw new EdgeError('auth.required');
    const principal = await authenticateRequest(this.authenticator, request);
    const remote = `${client.remoteAddress}:${client.remotePort}`;
    // Without a common protocol any worker can say so.
    const protocol = subprotocolOf(chooseVersion(tokens) ?? PROTOCOL_VERSIONS[0]!);
    const { worker, socket } = await this.connect(protocol);
    if (client.destroyed || this.isDraining) {
      socket.destroy();
      throw new EdgeError('server.draining');
    }
    const handshake = signHandshake(this.secret, { principal, database, worker: worker.id, remote });
    socket.write(requestHead(request, handshake));
    if (head.length > 0) socket.write(head);
    this.attend({ principal, database, remote }, client, socket);
  }

  private async connect(protocol: string): Promise<{ worker: Worker; socket: Socket }> {
    const tried = new Set<string>();
    while (tried.size < MAX_TRIES) {
      const worker = this.workers.choose(protocol, tried);
      if (!worker) break;
      try {
        return { worker, socket: await connectTo(worker.address) };
      } catch (error) {
        tried.add(worker.id);
        this.log.warning(`the worker at ${worker.address} cannot be reached`, error);
      }
    }
    throw new EdgeError('sync.no-worker');
  }

  private attend({ principal, database, remote }: Caller, client: Socket, worker: Socket): void {
    client.setTimeout(0);
    client.setNoDelay(true);
    client.setKeepAlive(true, KEEP_ALIVE_MS);
    this.clients.add(client);
    const forget = this.tasks.add({
      id: this.tasks.nextId(),
      type: 'sync',
      since: Date.now(),
      describe: () => ({
        db: database,
        ks: database,
        ...(principal.name !== undefined && { user: principal.name }),
        ip: remote.slice(0, remote.lastIndexOf(':')),
      }),
    });
    // The app comes back by itself, and is then admitted as who it is now, or not at all.
    const unwatch = this.authenticator.watch(principal, () => client.destroySoon());
    splice(client, worker, () => {
      unwatch();
      forget();
      this.clients.delete(client);
    });
  }
}
