import { EdgeError } from '@edgesync/errors';
import type { ReplicationRow, ReplicationTable, ReplicationTask } from '@edgesync/ports';
import { array, count, flag, literal, object, oneOf, optional, parse, text, type Schema } from './schema.js';

/*
 * Replications with other servers in a split deployment: the table that gateways and workers share, and what gateways
 * ask of workers. Definitions hold secrets; they travel and rest sealed, and nothing here shows what is in them.
 */

/** A replication as `_replicate` shows it; see `ReplicationTask` of the ports. */
const taskMeta: Schema<ReplicationTask> = object({
  task_id: count(),
  session_id: count(),
  age_secs: count(),
  type: literal('replication'),
  source: text(),
  target: text(),
  continuous: optional(literal(true)),
  bidirectional: optional(literal(true)),
  updated_on: count(),
  status: oneOf(['Stopped', 'Offline', 'Connecting', 'Idle', 'Active']),
  progress: optional(count()),
  docs_read: optional(count()),
  docs_written: optional(count()),
  docs_transferred: optional(count()),
  docs_pending: count(),
  docs_failed: optional(count()),
  conflicts_resolved: optional(count()),
  bytes_received: count(),
  bytes_sent: count(),
  last_success: optional(count()),
  next_retry: optional(count()),
  error: optional(object({ error: text(), 'x-litecore-domain': count(), 'x-litecore-code': count() })),
});

/** Everything that can be asked of a replication worker: the last token of a request's subject. */
export const WORKER_OPERATIONS = ['startReplication', 'replicationTasks'] as const;

export type WorkerOperation = (typeof WORKER_OPERATIONS)[number];

const startMeta = object({ key: text() });
const startedMeta = object({ number: count() });
const tasksMeta = object({ tasks: array(taskMeta) });

/** Starts the replication whose sealed definition is the body. */
export class StartReplicationRequest {
  static readonly version = 1;

  constructor(
    /** Names the request, which starts one replication even if it arrives more often. */
    readonly key: string,
  ) {}

  static parse(meta: unknown): StartReplicationRequest {
    return new StartReplicationRequest(parse('start of a replication', startMeta, meta).key);
  }
}

export class StartReplicationReply {
  static readonly version = 1;

  constructor(readonly number: number) {}

  static parse(meta: unknown): StartReplicationReply {
    return new StartReplicationReply(parse('started replication', startedMeta, meta).number);
  }
}

/** Asks a worker for the replications that it runs. */
export class ReplicationTasksRequest {
  static readonly version = 1;

  static parse(): ReplicationTasksRequest {
    return new ReplicationTasksRequest();
  }
}

export class ReplicationTasksReply {
  static readonly version = 1;

  constructor(readonly tasks: readonly ReplicationTask[]) {}

  static parse(meta: unknown): ReplicationTasksReply {
    return new ReplicationTasksReply(parse('replication tasks', tasksMeta, meta).tasks);
  }
}

const endMeta = object({ task: taskMeta, isHidden: flag() });
const rowMeta: Schema<ReplicationRow> = object({
  number: count(),
  origin: oneOf(['configured', 'requested']),
  key: text(),
  identity: text(),
  source: text(),
  target: text(),
  continuous: flag(),
  bidirectional: flag(),
  definitionBytes: optional(count()),
  since: count(),
  isStopping: flag(),
  ended: optional(endMeta),
});
const tableMeta: Schema<ReplicationTable> = object({ last: count(), rows: array(rowMeta) });

/** Version of the table of replications as it is stored. */
export const REPLICATION_TABLE_VERSION = 1;

/** @throws EdgeError `bus.invalid` */
export function parseReplicationTable(meta: unknown): ReplicationTable {
  const { last, rows } = parse('replication table', tableMeta, meta);
  const rises = rows.every(({ number }, index) => number > (rows[index - 1]?.number ?? 0) && number <= last);
  if (!rises) throw new EdgeError('bus.invalid', 'the numbers of the replication table do not rise');
  return { last, rows };
}
