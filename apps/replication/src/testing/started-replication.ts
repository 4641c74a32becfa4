import { systemScheduler, type Scheduler } from '@edgesync/async';
import type { ReplicationConfig } from '@edgesync/config';
import { DEFAULT_SOCKET_TUNING, DIAL_TIMEOUT_MS } from '@edgesync/socket-ws';
import type { SqliteStorage } from '@edgesync/storage-sqlite';
import { RemoteAccess } from '../replications/remote-access.js';
import type { Failure } from '../replications/failure.js';
import { Replication } from '../replications/replication.js';
import { planReplication } from '../replications/replication-plan.js';
import { contextOf } from './running-server.js';

/** The times after which a silent server is given up: while connecting, after a ping, when it takes or answers nothing. */
const PATIENCE_MS: ReadonlySet<number> = new Set([DIAL_TIMEOUT_MS, DEFAULT_SOCKET_TUNING.pingIntervalMs, 60_000]);

/** Pauses of seconds pass in milliseconds, shorter ones stay as they are, and patience passes `patience` times faster. */
const hurried = (patience: number): Scheduler => ({
  schedule: (delayMs, callback) => {
    const factor = PATIENCE_MS.has(delayMs) ? patience : delayMs < 1_000 ? 1 : 200;
    return systemScheduler.schedule(delayMs / factor, callback);
  },
});

/** A silent server is given up after about a second, which a busy machine needs. */
export const HASTY = hurried(20);

const IMPATIENT = hurried(1);

export interface StartedReplication extends AsyncDisposable {
  readonly replication: Replication;
  readonly access: RemoteAccess;
  /** Events that the observer received. */
  readonly conflicts: { readonly id: string; readonly winner: 'local' | 'remote' }[];
  readonly failed: { readonly direction: 'push' | 'pull'; readonly id: string; readonly failure: Failure }[];
  readonly log: string[];
  /** How often it connected. */
  readonly connections: () => number;
  /** Resolves when everything is replicated. */
  idle(): Promise<void>;
}

/** A replication of the database `db` in `storage`; `remote` is the port of a server with a database of that name. */
export function startReplication(
  storage: SqliteStorage,
  remote: number | string,
  definition: Partial<ReplicationConfig> = {},
  scheduler: Scheduler = IMPATIENT,
  isPersistent = false,
): StartedReplication {
  const full: ReplicationConfig = {
    source: 'db',
    target: typeof remote === 'number' ? `ws://127.0.0.1:${remote}/db` : remote,
    bidirectional: true,
    continuous: true,
    ...definition,
  };
  const conflicts: StartedReplication['conflicts'] = [];
  const failed: StartedReplication['failed'] = [];
  const log: string[] = [];
  let connections = 0;
  const access = new RemoteAccess(full);
  const replication = new Replication({
    plan: planReplication(full),
    access,
    context: contextOf(storage, scheduler),
    random: () => 0.5,
    isPersistent,
    observer: {
      log: (message) => void log.push(message),
      warn: (message) => void log.push(`warning: ${message}`),
      connected: () => void connections++,
      failed: () => {},
      conflict: (_keyspace, id, winner) => void conflicts.push({ id, winner }),
      documentFailed: (direction, _keyspace, id, failure) => void failed.push({ direction, id, failure }),
    },
  });
  return {
    replication,
    access,
    conflicts,
    failed,
    log,
    connections: () => connections,
    idle: () => until(() => replication.activity === 'Idle' && replication.pending === 0),
    [Symbol.asyncDispose]: () => replication.stop(),
  };
}

/** Waits for a state that comes about by itself; the test's own time limit ends it. */
export async function until(condition: () => boolean | Promise<boolean>): Promise<void> {
  while (!(await condition())) await new Promise((resolve) => setTimeout(resolve, 2));
}
