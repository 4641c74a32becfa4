import { EdgeError } from '@edgesync/errors';
import { Fields } from './fields.js';

/*
 * Replications with other servers in a split deployment: the table that gateways and workers share, and what gateways
 * ask of workers. Definitions hold secrets; they travel and rest sealed, and nothing here shows what is in them.
 */

/** Everything that can be asked of a replication worker: the last token of a request's subject. */
export const WORKER_OPERATIONS = ['startReplication', 'replicationTasks'] as const;

export type WorkerOperation = (typeof WORKER_OPERATIONS)[number];

/** Starts the replication whose sealed definition is the body. */
export class StartReplicationRequest {
  static readonly version = 1;

  constructor(
    /** Names the request: however often it arrives, one replication is started. */
    readonly key: string,
  ) {}

  static parse(meta: unknown): StartReplicationRequest {
    return new StartReplicationRequest(new Fields('start of a replication', meta).text('key'));
  }
}

export class StartReplicationReply {
  static readonly version = 1;

  constructor(readonly number: number) {}

  static parse(meta: unknown): StartReplicationReply {
    return new StartReplicationReply(new Fields('started replication', meta).count('number'));
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

  constructor(readonly tasks: readonly TaskStatus[]) {}

  static parse(meta: unknown): ReplicationTasksReply {
    return new ReplicationTasksReply(new Fields('replication tasks', meta).list('tasks').map(parseTaskStatus));
  }
}

const ACTIVITIES = ['Stopped', 'Offline', 'Connecting', 'Idle', 'Active'] as const;
const OPTIONAL_COUNTS = [
  'progress',
  'docs_read',
  'docs_written',
  'docs_transferred',
  'docs_failed',
  'conflicts_resolved',
  'last_success',
  'next_retry',
] as const;

/** A replication as `_replicate` shows it, member by member as `ReplicationTask` of the ports. */
export interface TaskStatus extends Readonly<Partial<Record<(typeof OPTIONAL_COUNTS)[number], number>>> {
  readonly task_id: number;
  readonly session_id: number;
  readonly age_secs: number;
  readonly type: 'replication';
  readonly source: string;
  readonly target: string;
  readonly continuous?: true;
  readonly bidirectional?: true;
  readonly updated_on: number;
  readonly status: (typeof ACTIVITIES)[number];
  readonly docs_pending: number;
  readonly bytes_received: number;
  readonly bytes_sent: number;
  readonly error?: { readonly error: string; readonly 'x-litecore-domain': number; readonly 'x-litecore-code': number };
}

/** @throws EdgeError `bus.invalid` */
export function parseTaskStatus(meta: unknown): TaskStatus {
  const fields = new Fields('replication task', meta);
  const counts: Partial<Record<(typeof OPTIONAL_COUNTS)[number], number>> = {};
  for (const name of OPTIONAL_COUNTS) {
    const value = fields.optionalCount(name);
    if (value !== undefined) counts[name] = value;
  }
  const error = fields.optional('error');
  return {
    task_id: fields.count('task_id'),
    session_id: fields.count('session_id'),
    age_secs: fields.count('age_secs'),
    type: fields.oneOf('type', ['replication']),
    source: fields.text('source'),
    target: fields.text('target'),
    ...(fields.optionalFlag('continuous') === true && { continuous: true }),
    ...(fields.optionalFlag('bidirectional') === true && { bidirectional: true }),
    updated_on: fields.count('updated_on'),
    status: fields.oneOf('status', ACTIVITIES),
    ...counts,
    docs_pending: fields.count('docs_pending'),
    bytes_received: fields.count('bytes_received'),
    bytes_sent: fields.count('bytes_sent'),
    ...(error !== undefined && { error: parseFault(error) }),
  };
}

function parseFault(meta: unknown): NonNullable<TaskStatus['error']> {
  const fields = new Fields('replication fault', meta);
  return {
    error: fields.text('error'),
    'x-litecore-domain': fields.count('x-litecore-domain'),
    'x-litecore-code': fields.count('x-litecore-code'),
  };
}

const ORIGINS = ['configured', 'requested'] as const;

/** A replication as the deployment knows it, whichever worker runs it. */
export interface ReplicationRow {
  /** Its task ID, never used for another one. */
  readonly number: number;
  /** From the configuration file, which every worker has, or from a request, whose definition is kept sealed. */
  readonly origin: (typeof ORIGINS)[number];
  /** Of a configured one: a fingerprint of its definition. Of a requested one: the key of the request. */
  readonly key: string;
  /** The same for replications of the same databases and collections. */
  readonly identity: string;
  /** Both ends as they may be shown. */
  readonly source: string;
  readonly target: string;
  readonly continuous: boolean;
  readonly bidirectional: boolean;
  /** Size of its sealed definition; present if it was requested. */
  readonly definitionBytes?: number;
  /** Unix milliseconds at which it was started. */
  readonly since: number;
  /** Somebody wants it to stop. */
  readonly isStopping: boolean;
  /** Present once it has ended, be it done, stopped or failed for good. */
  readonly ended?: ReplicationEnd;
}

export interface ReplicationEnd {
  /** How it was then. */
  readonly task: TaskStatus;
  /** Present if another token makes it start over: a fingerprint of the one that it ended with, '' if there was none. */
  readonly token?: string;
  /** It is not shown any more, and stays so that nobody starts it again. */
  readonly isHidden: boolean;
}

/** All replications of a deployment. */
export class ReplicationTable {
  static readonly version = 1;
  static readonly empty = new ReplicationTable(0, []);

  constructor(
    /** The greatest number that was ever given. */
    readonly last: number,
    /** In the order of their numbers. */
    readonly rows: readonly ReplicationRow[],
  ) {}

  static parse(meta: unknown): ReplicationTable {
    const fields = new Fields('replication table', meta);
    const last = fields.count('last');
    const rows = fields.list('rows').map(parseRow);
    const rises = rows.every(({ number }, index) => number > (rows[index - 1]?.number ?? 0) && number <= last);
    if (!rises) throw new EdgeError('bus.invalid', 'the numbers of the replication table do not rise');
    return new ReplicationTable(last, rows);
  }
}

function parseRow(meta: unknown): ReplicationRow {
  const fields = new Fields('replication', meta);
  const ended = fields.optional('ended');
  const definitionBytes = fields.optionalCount('definitionBytes');
  return {
    number: fields.count('number'),
    origin: fields.oneOf('origin', ORIGINS),
    key: fields.text('key'),
    identity: fields.text('identity'),
    source: fields.text('source'),
    target: fields.text('target'),
    continuous: fields.flag('continuous'),
    bidirectional: fields.flag('bidirectional'),
    ...(definitionBytes !== undefined && { definitionBytes }),
    since: fields.count('since'),
    isStopping: fields.flag('isStopping'),
    ...(ended !== undefined && { ended: parseEnd(ended) }),
  };
}

function parseEnd(meta: unknown): ReplicationEnd {
  const fields = new Fields('end of a replication', meta);
  const token = fields.optionalText('token');
  return {
    task: parseTaskStatus(fields.optional('task')),
    ...(token !== undefined && { token }),
    isHidden: fields.flag('isHidden'),
  };
}
