import type { Scheduler } from '@edgesync/blip';
import type { ReplicationConfig } from '@edgesync/config';
import { DEFAULT_SOCKET_TUNING, DIAL_TIMEOUT_MS, systemScheduler } from '@edgesync/socket-ws';
import type { SqliteStorage } from '@edgesync/storage-sqlite';
import { RemoteAccess } from '../upstream/remote-access.js';
import type { Failure } from '../upstream/failure.js';
import { Upstream } from '../upstream/upstream.js';
import { planUpstream } from '../upstream/upstream-plan.js';
import { environmentOf } from './running-server.js';

/** After so long a server that is silent is given up: while connecting, when it is pinged, when it takes or answers nothing. */
const PATIENCE_MS: ReadonlySet<number> = new Set([DIAL_TIMEOUT_MS, DEFAULT_SOCKET_TUNING.pingIntervalMs, 60_000]);

/** Pauses of seconds pass in milliseconds; what is shorter than a second stays. Patience passes that many times faster. */
const hurried = (patience: number): Scheduler => ({
  schedule: (delayMs, callback) => {
    const factor = PATIENCE_MS.has(delayMs) ? patience : delayMs < 1_000 ? 1 : 200;
    return systemScheduler.schedule(delayMs / factor, callback);
  },
});

/** A silent server is given up after a second or so: as long as one needs on a busy machine. */
export const HASTY = hurried(20);

const IMPATIENT = hurried(1);

export interface StartedUpstream extends AsyncDisposable {
  readonly upstream: Upstream;
  readonly access: RemoteAccess;
  /** What the observer was told. */
  readonly conflicts: { readonly id: string; readonly winner: 'local' | 'remote' }[];
  readonly failed: { readonly direction: 'push' | 'pull'; readonly id: string; readonly failure: Failure }[];
  readonly log: string[];
  /** How often it connected. */
  readonly connections: () => number;
  /** Resolves when everything is replicated. */
  idle(): Promise<void>;
}

/** A replication of the database `db` in `storage`; `remote` is the port of a server with a database of that name. */
export function startUpstream(
  storage: SqliteStorage,
  remote: number | string,
  definition: Partial<ReplicationConfig> = {},
  scheduler: Scheduler = IMPATIENT,
): StartedUpstream {
  const full: ReplicationConfig = {
    source: 'db',
    target: typeof remote === 'number' ? `ws://127.0.0.1:${remote}/db` : remote,
    bidirectional: true,
    continuous: true,
    ...definition,
  };
  const conflicts: StartedUpstream['conflicts'] = [];
  const failed: StartedUpstream['failed'] = [];
  const log: string[] = [];
  let connections = 0;
  const access = new RemoteAccess(full);
  const upstream = new Upstream({
    plan: planUpstream(full),
    access,
    environment: environmentOf(storage, scheduler),
    random: () => 0.5,
    observer: {
      log: (message) => void log.push(message),
      warn: (message) => void log.push(message),
      connected: () => void connections++,
      failed: () => {},
      conflict: (_keyspace, id, winner) => void conflicts.push({ id, winner }),
      documentFailed: (direction, _keyspace, id, failure) => void failed.push({ direction, id, failure }),
    },
  });
  return {
    upstream,
    access,
    conflicts,
    failed,
    log,
    connections: () => connections,
    idle: () => until(() => upstream.activity === 'Idle' && upstream.pending === 0),
    [Symbol.asyncDispose]: () => upstream.stop(),
  };
}

/** Waits for a state that comes about by itself; the test's own time limit ends it. */
export async function until(condition: () => boolean | Promise<boolean>): Promise<void> {
  while (!(await condition())) await new Promise((resolve) => setTimeout(resolve, 2));
}
