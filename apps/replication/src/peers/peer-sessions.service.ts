import { finishesWithin } from '@edgesync/async';
import { type BeforeApplicationShutdown, Inject, Injectable } from '@nestjs/common';
import { type BlipConnectionOptions, CloseCode, type Transport } from '@edgesync/blip';
import { EdgeError } from '@edgesync/errors';
import { ACTIVE_TASKS, LOGGERS, type ActiveTasks, type Logger, type Loggers } from '@edgesync/platform';
import { ReplicatorContext, PassiveSession, type Traffic } from '@edgesync/replicator';
import { MAX_PEERS, STOP_MS } from '../tuning.js';
import type { Admission } from './peer-admission.service.js';
import { PeerIdentity } from './peer-identity.js';
import { PeerObserver, type TwoWays } from './peer-observer.service.js';

/** One connected app. */
export interface PeerInfo {
  readonly id: number;
  readonly database: string;
  readonly user?: string;
  readonly remote: string;
  /** The name of the session at the gateway that passed the app on. */
  readonly relayed?: string;
  /** Milliseconds since the epoch. */
  readonly since: number;
  readonly traffic: Readonly<Traffic>;
}

interface Connected {
  readonly info: PeerInfo;
  readonly session: PassiveSession;
  readonly transport: Transport;
}

/**
 * The choice that blocks a link least: frames are deflated only when the socket has a backlog, so that the processor
 * does not slow a fast network down.
 */
const COMPRESSION: BlipConnectionOptions['compression'] = 'congested';

const STOPPING = 'the server is shutting down';

/** All connected apps. */
@Injectable()
export class PeerSessions implements BeforeApplicationShutdown {
  private readonly connected = new Map<number, Connected>();
  private readonly log: Logger;
  private isDraining = false;

  constructor(
    @Inject(ReplicatorContext) private readonly context: ReplicatorContext,
    @Inject(PeerObserver) private readonly observer: PeerObserver,
    @Inject(ACTIVE_TASKS) private readonly tasks: ActiveTasks,
    @Inject(PeerIdentity) private readonly identity: PeerIdentity,
    @Inject(LOGGERS) loggers: Loggers,
  ) {
    this.log = loggers.domain('Sync');
  }

  /** @throws EdgeError `server.draining`, `server.overloaded` */
  checkRoom(): void {
    if (this.isDraining) throw new EdgeError('server.draining');
    if (this.connected.size >= MAX_PEERS) throw new EdgeError('server.overloaded', 'too many clients are connected');
  }

  /** Starts a session; it ends by itself. */
  open(transport: Transport & { readonly wireBytes?: TwoWays }, admission: Admission): void {
    const { principal, database, policy, version, remote, relayed } = admission;
    if (this.isDraining) {
      transport.close(CloseCode.transient, STOPPING);
      return;
    }
    const session = new PassiveSession(transport, {
      context: this.context,
      version,
      database,
      principal,
      policy,
      blip: { compression: COMPRESSION },
    });
    const id = this.tasks.nextId();
    const info: PeerInfo = {
      id,
      database: database.name,
      ...(principal.name !== undefined && { user: principal.name }),
      remote,
      ...(relayed !== undefined && { relayed }),
      since: Date.now(),
      traffic: session.traffic,
    };
    this.connected.set(id, { info, session, transport });
    const forget = this.tasks.add({ id, type: 'sync', since: info.since, describe: () => describe(info) });
    const who = `{${id}} ${principal.name ?? 'anonymous'} at ${remote}`;
    this.log.info(`${who} connected to ${database.name}, protocol ${version}`);
    const ended = this.observer.begin({
      id,
      admission,
      revisions: () => session.traffic,
      bytes: () => transport.wireBytes ?? { sent: 0, received: 0 },
    });
    const unwatch = this.identity.watch(principal, () => this.userChanged(id));
    void session.closed.then(({ code, reason, by }) => {
      unwatch();
      ended(code);
      forget();
      this.connected.delete(id);
      const { sent, received } = session.traffic;
      const why = reason === '' ? '' : ` (${reason})`;
      this.log.info(`${who} disconnected: ${code}${why} by ${by}; ${sent} revisions sent, ${received} received`);
    });
  }

  /** Ends a session whose user changed: the app comes back, and is then admitted as who it is now, or not at all. */
  userChanged(id: number): void {
    void this.connected.get(id)?.session.end('the user was changed or removed');
  }

  /** Ends a session in good order, so that the app comes back. */
  drain(id: number): void {
    void this.connected.get(id)?.session.drain(STOPPING);
  }

  /** Connected apps, oldest first. */
  list(): readonly PeerInfo[] {
    return [...this.connected.values()].map(({ info }) => info);
  }

  /**
   * Ends all sessions so that the apps come back by themselves: after 1000 or 1001 they would not
   * (docs/protocol/connection.md#close-codes). Those that do not finish in time are cut off; a lost connection is tried
   * again too.
   */
  async beforeApplicationShutdown(): Promise<void> {
    this.isDraining = true;
    const drained = Promise.all([...this.connected.values()].map(({ session }) => session.drain(STOPPING)));
    if (await finishesWithin(STOP_MS, drained, this.context.scheduler)) return;
    for (const { transport } of this.connected.values()) transport.terminate();
  }
}

/**
 * A session as `_active_tasks` shows it (docs/protocol/rest.md#active-tasks). It may sync several collections; `ks`
 * names their database.
 */
function describe({ database, user, remote, traffic }: PeerInfo): Record<string, unknown> {
  return {
    db: database,
    ks: database,
    ...(user !== undefined && { user }),
    ip: remote.slice(0, remote.lastIndexOf(':')),
    revs_sent: traffic.sent,
    revs_received: traffic.received,
  };
}
