import { ReplicationTable, type ReplicationRow } from '@edgesync/bus-contract';
import { EdgeError } from '@edgesync/errors';
import type { ReplicationTask } from '@edgesync/ports';
import { MAX_DEFINITIONS_BYTES, MAX_ENDED_ERROR, MAX_REPLICATIONS, MAX_ROWS_BYTES } from './tuning.js';

/*
 * What can happen to the table of replications. Every function gives a new table, or the same one if nothing changes;
 * so each may be repeated when it is not known whether it was done.
 */

/** What starts a replication: a row as it begins. */
export type NewReplication = Omit<ReplicationRow, 'number' | 'since' | 'isStopping' | 'ended'>;

/**
 * Enters a replication, unless that was done already.
 * @param now Unix milliseconds
 * @throws EdgeError `replication.running` if it was asked for by a request and the same runs, `replication.limit`
 */
export function addReplication(
  table: ReplicationTable,
  replication: NewReplication,
  now: number,
): { readonly table: ReplicationTable; readonly number: number } {
  const { origin, key, identity } = replication;
  const known = latestOf(table, origin, key);
  if (known) return { table, number: known.number };
  if (origin === 'requested' && table.rows.some((row) => !row.ended && row.identity === identity))
    throw new EdgeError('replication.running');
  return append(table, replication, now);
}

/** Wants a replication to stop. @returns undefined if there is none of that number */
export function stopReplication(table: ReplicationTable, number: number): ReplicationTable | undefined {
  const row = table.rows.find((row) => row.number === number);
  if (!row || row.ended?.isHidden) return undefined;
  return row.ended || row.isStopping ? table : replace(table, { ...row, isStopping: true });
}

/** A replication has ended. @param token see `ReplicationEnd` */
export function endReplication(table: ReplicationTable, task: ReplicationTask, token?: string): ReplicationTable {
  const row = table.rows.find((row) => row.number === task.task_id);
  if (!row || row.ended) return table;
  const ended = {
    task: withShortError(task),
    ...(token !== undefined && !row.isStopping && { token }),
    isHidden: false,
  };
  return replace(table, { ...row, ended });
}

/**
 * A replication that ended was shown for long enough. A requested one is forgotten; a configured one stays, hidden, so
 * that no worker starts it again.
 */
export function hideReplication(table: ReplicationTable, number: number): ReplicationTable {
  const row = table.rows.find((row) => row.number === number);
  if (!row?.ended || row.ended.isHidden) return table;
  if (row.origin === 'requested' || latestOf(table, row.origin, row.key) !== row) return without(table, [row]);
  return replace(table, { ...row, ended: { ...row.ended, isHidden: true } });
}

/** Starts a replication over that ended for want of a good token; it gets a new number. */
export function reviveReplication(table: ReplicationTable, number: number, now: number): ReplicationTable {
  const row = table.rows.find((row) => row.number === number);
  if (row?.ended?.token === undefined || latestOf(table, row.origin, row.key) !== row) return table;
  const { number: _number, since: _since, isStopping: _isStopping, ended, ...replication } = row;
  const { table: next } = append(table, replication, now);
  return ended.isHidden ? without(next, [row]) : next;
}

/** Whether a worker is to have it: to run it, or to watch for the token with which it starts over. */
export function isWantedReplication(table: ReplicationTable, row: ReplicationRow): boolean {
  if (!row.ended) return true;
  return row.ended.token !== undefined && latestOf(table, row.origin, row.key) === row;
}

/** Removes configured replications that the configuration does not have any more. */
export function removeReplications(
  table: ReplicationTable,
  isGone: (row: ReplicationRow) => boolean,
): ReplicationTable {
  const gone = table.rows.filter((row) => row.origin === 'configured' && isGone(row));
  return gone.length === 0 ? table : without(table, gone);
}

const latestOf = ({ rows }: ReplicationTable, origin: string, key: string): ReplicationRow | undefined =>
  rows.findLast((row) => row.origin === origin && row.key === key);

function append(
  { last, rows }: ReplicationTable,
  replication: NewReplication,
  now: number,
): { table: ReplicationTable; number: number } {
  const number = last + 1;
  const row: ReplicationRow = { ...replication, number, since: now, isStopping: false };
  const next = [...rows, row];
  checkRoom(next);
  return { table: new ReplicationTable(number, next), number };
}

/** @throws EdgeError `replication.limit` */
function checkRoom(rows: readonly ReplicationRow[]): void {
  if (rows.length > MAX_REPLICATIONS)
    throw new EdgeError('replication.limit', `there are ${MAX_REPLICATIONS} replications, and may be no more`);
  if (sumOf(rows, bytesAtStart) > MAX_ROWS_BYTES)
    throw new EdgeError('replication.limit', 'the table of replications has no room for another one');
  if (sumOf(rows, ({ definitionBytes = 0 }) => definitionBytes) > MAX_DEFINITIONS_BYTES)
    throw new EdgeError('replication.limit', 'the definitions of all replications are too large to have another one');
}

const bytesAtStart = (row: ReplicationRow): number => Buffer.byteLength(JSON.stringify({ ...row, ended: undefined }));

const sumOf = (rows: readonly ReplicationRow[], of: (row: ReplicationRow) => number): number =>
  rows.reduce((sum, row) => sum + of(row), 0);

function withShortError(task: ReplicationTask): ReplicationTask {
  if (!task.error || task.error.error.length <= MAX_ENDED_ERROR) return task;
  return { ...task, error: { ...task.error, error: `${task.error.error.slice(0, MAX_ENDED_ERROR - 1)}…` } };
}

const replace = ({ last, rows }: ReplicationTable, next: ReplicationRow): ReplicationTable =>
  new ReplicationTable(
    last,
    rows.map((row) => (row.number === next.number ? next : row)),
  );

const without = ({ last, rows }: ReplicationTable, gone: readonly ReplicationRow[]): ReplicationTable =>
  new ReplicationTable(
    last,
    rows.filter((row) => !gone.includes(row)),
  );
