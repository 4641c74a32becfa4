import { utf8Length } from '@edgesync/document';
import { EdgeError } from '@edgesync/errors';
import type { ReplicationTask } from './replication-control.js';

/*
 * The table of replications with other servers, and what can happen to it. Every function returns a new table, or the same
 * one if nothing changes, so each may be repeated when nobody knows whether it was done.
 */

/** A replication, whichever process runs it. */
export interface ReplicationRow {
  /** Its task ID, never used for another one. */
  readonly number: number;
  /** From the configuration file, or from a request, whose definition the records keep. */
  readonly origin: 'configured' | 'requested';
  /** A fingerprint of the definition if configured; the key of the request if requested. */
  readonly key: string;
  /** The same for replications of the same databases and collections. */
  readonly identity: string;
  /** Both ends as they may be shown. */
  readonly source: string;
  readonly target: string;
  readonly continuous: boolean;
  readonly bidirectional: boolean;
  /** Size of its kept definition; present if it was requested and has not ended. */
  readonly definitionBytes?: number;
  /** Unix milliseconds at which it was started. */
  readonly since: number;
  /** Someone deleted it while it ran. */
  readonly isStopping: boolean;
  /** Present once it has ended: done, stopped, or failed for good. */
  readonly ended?: ReplicationEnd;
}

export interface ReplicationEnd {
  /** Its last status. */
  readonly task: ReplicationTask;
  /** No longer shown. The row stays so that the replication is not started again. */
  readonly isHidden: boolean;
}

export interface ReplicationTable {
  /** The greatest number that was ever given. */
  readonly last: number;
  /** In the order of their numbers. */
  readonly rows: readonly ReplicationRow[];
}

export const EMPTY_REPLICATION_TABLE: ReplicationTable = { last: 0, rows: [] };

/** Replications that a deployment knows at a time. */
const MAX_REPLICATIONS = 500;
/** Replications that have ended and are still shown; of more than that the oldest are forgotten. */
export const MAX_ENDED = 100;
/**
 * Bytes of the rows as they begin. With NATS the table is one message of at most 1 MB; a row that has ended is as long
 * again, and has counts and an error of up to 0.7 kB.
 */
const MAX_ROWS_BYTES = 320 * 1_024;
/** Characters of the error that a replication ended with; a server may write any text. */
const MAX_ENDED_ERROR = 200;
/** Bytes of all kept definitions. Each process that runs replications has a copy of them. */
const MAX_DEFINITIONS_BYTES = 16 * 1_024 * 1_024;

/** A row as it begins. */
export type NewReplication = Omit<ReplicationRow, 'number' | 'since' | 'isStopping' | 'ended'>;

/**
 * Enters a replication, unless that was done already. Requested ones that have ended make room if there is none.
 * @param now Unix milliseconds
 * @param nextNumber returns the number of a new one, greater than all before
 * @throws EdgeError `replication.running` if it was requested and an equivalent one runs, `replication.limit`
 */
export function addReplication(
  table: ReplicationTable,
  replication: NewReplication,
  now: number,
  nextNumber: (table: ReplicationTable) => number = ({ last }) => last + 1,
): { readonly table: ReplicationTable; readonly number: number } {
  const { origin, key, identity } = replication;
  const known = table.rows.findLast((row) => row.origin === origin && row.key === key);
  if (known) return { table, number: known.number };
  if (origin === 'requested' && table.rows.some((row) => !row.ended && row.identity === identity))
    throw new EdgeError('replication.running');
  const number = nextNumber(table);
  const added: ReplicationRow = { ...replication, number, since: now, isStopping: false };
  for (let { rows } = table; ;) {
    const problem = problemOfSize([...rows, added]);
    if (problem === undefined) return { table: { last: number, rows: [...rows, added] }, number };
    const oldest = rows.find(({ origin, ended }) => origin === 'requested' && ended);
    if (!oldest) throw new EdgeError('replication.limit', problem);
    rows = rows.filter((row) => row !== oldest);
  }
}

/**
 * Deletes a replication: one that runs is to stop, and is hidden some time after that; one that has ended is hidden at once.
 * @returns undefined if no replication of that number is shown
 */
export function deleteReplication(table: ReplicationTable, number: number): ReplicationTable | undefined {
  const row = find(table, number);
  if (!row || row.ended?.isHidden) return undefined;
  if (row.ended) return hideReplication(table, number);
  return row.isStopping ? table : replace(table, { ...row, isStopping: true });
}

/** Enters how a replication ended. The oldest of those that have ended are hidden if they are too many. */
export function endReplication(table: ReplicationTable, task: ReplicationTask): ReplicationTable {
  const row = find(table, task.task_id);
  if (!row || row.ended) return table;
  const { definitionBytes: _, ...kept } = row;
  const next = replace(table, { ...kept, ended: { task: withShortError(task), isHidden: false } });
  const shown = next.rows.filter(({ ended }) => ended && !ended.isHidden);
  return shown
    .slice(0, Math.max(0, shown.length - MAX_ENDED))
    .reduce((table, { number }) => hideReplication(table, number), next);
}

/** Hides a replication that has ended. A configured one stays in the table so that nobody starts it again. */
export function hideReplication(table: ReplicationTable, number: number): ReplicationTable {
  const row = find(table, number);
  if (!row?.ended || row.ended.isHidden) return table;
  if (row.origin === 'requested') return { ...table, rows: table.rows.filter((other) => other !== row) };
  return replace(table, { ...row, ended: { ...row.ended, isHidden: true } });
}

/** Removes the configured replications for which `isGone`. */
export function removeReplications(
  table: ReplicationTable,
  isGone: (row: ReplicationRow) => boolean,
): ReplicationTable {
  const rows = table.rows.filter((row) => row.origin !== 'configured' || !isGone(row));
  return rows.length === table.rows.length ? table : { ...table, rows };
}

const find = ({ rows }: ReplicationTable, number: number): ReplicationRow | undefined =>
  rows.find((row) => row.number === number);

const replace = ({ last, rows }: ReplicationTable, next: ReplicationRow): ReplicationTable => ({
  last,
  rows: rows.map((row) => (row.number === next.number ? next : row)),
});

/** @returns undefined if the rows fit */
function problemOfSize(rows: readonly ReplicationRow[]): string | undefined {
  if (rows.length > MAX_REPLICATIONS) return `there are ${MAX_REPLICATIONS} replications, and may be no more`;
  if (sumOf(rows, (row) => utf8Length(JSON.stringify({ ...row, ended: undefined }))) > MAX_ROWS_BYTES)
    return 'the table of replications has no room for another one';
  if (sumOf(rows, ({ definitionBytes = 0 }) => definitionBytes) > MAX_DEFINITIONS_BYTES)
    return 'the definitions of all replications are too large to have another one';
  return undefined;
}

const sumOf = (rows: readonly ReplicationRow[], of: (row: ReplicationRow) => number): number =>
  rows.reduce((sum, row) => sum + of(row), 0);

function withShortError(task: ReplicationTask): ReplicationTask {
  if (!task.error || task.error.error.length <= MAX_ENDED_ERROR) return task;
  return { ...task, error: { ...task.error, error: `${task.error.error.slice(0, MAX_ENDED_ERROR - 1)}…` } };
}

const seconds = (milliseconds: number): number => Math.floor(milliseconds / 1_000);

/**
 * The replications as they are shown, in the order of their numbers.
 * @param running the statuses of those that run, as the processes that run them report
 * @param isComplete whether every such process reported: then one that nobody runs is about to be taken by one of them
 * @param now Unix milliseconds
 */
export function shownReplications(
  { rows }: ReplicationTable,
  running: readonly ReplicationTask[],
  isComplete: boolean,
  now: number,
): ReplicationTask[] {
  const byNumber = new Map(running.map((task) => [task.task_id, task]));
  return rows
    .filter(({ ended }) => !ended?.isHidden)
    .map((row) => ({
      ...(row.ended?.task ?? byNumber.get(row.number) ?? taskWithoutReport(row, isComplete)),
      // As long as there is this replication, whichever process ran it meanwhile.
      age_secs: Math.max(0, seconds(now - row.since)),
    }));
}

/** The state of a replication by the table alone. */
export function recordedTask(row: ReplicationRow): ReplicationTask {
  const { number, source, target, continuous, bidirectional, since } = row;
  return {
    task_id: number,
    session_id: number,
    age_secs: 0,
    type: 'replication',
    source,
    target,
    ...(continuous && { continuous: true }),
    ...(bidirectional && { bidirectional: true }),
    updated_on: seconds(since),
    status: 'Connecting',
    docs_pending: 0,
    bytes_received: 0,
    bytes_sent: 0,
  };
}

function taskWithoutReport(row: ReplicationRow, isComplete: boolean): ReplicationTask {
  const task = recordedTask(row);
  return isComplete ? task : { ...task, status: 'Offline', error: NO_REPORT };
}

/** Domain 6 is that of HTTP statuses. */
const NO_REPORT = {
  error: 'no replication worker reports its status',
  'x-litecore-domain': 6,
  'x-litecore-code': 503,
};
