import { describe, expect, it } from 'vitest';
import type { ReplicationTask } from './replication-control.js';
import {
  addReplication,
  deleteReplication,
  EMPTY_REPLICATION_TABLE,
  endReplication,
  hideReplication,
  MAX_ENDED,
  recordedTask,
  removeReplications,
  shownReplications,
  type NewReplication,
  type ReplicationTable,
} from './replication-table.js';

const NOW = 1_780_000_000_000;
const replication = (key: string, members: Partial<NewReplication> = {}): NewReplication => ({
  origin: 'requested',
  key,
  identity: key,
  source: 'db',
  target: 'wss://host/db',
  continuous: true,
  bidirectional: false,
  ...members,
});
const tableOf = (...replications: NewReplication[]): ReplicationTable =>
  replications.reduce((table, each) => addReplication(table, each, NOW).table, EMPTY_REPLICATION_TABLE);
const taskOf = (number: number): ReplicationTask => ({
  ...recordedTask({ ...replication('x'), number, since: NOW, isStopping: false }),
  status: 'Stopped',
});
const numbers = ({ rows }: ReplicationTable): number[] => rows.map(({ number }) => number);

describe('the table of replications', () => {
  it('numbers them in their order, and never gives a number again', () => {
    let table = tableOf(replication('a'), replication('b'));
    expect(numbers(table)).toEqual([1, 2]);
    table = hideReplication(endReplication(table, taskOf(2)), 2);
    expect(numbers(table)).toEqual([1]);
    expect(addReplication(table, replication('c'), NOW).number).toBe(3);
  });

  it('enters a repeated request once', () => {
    const table = tableOf(replication('a'));
    expect(addReplication(table, replication('a'), NOW)).toEqual({ table, number: 1 });
  });

  it('refuses a request for what runs, until that has ended; the configuration may have the same twice', () => {
    const table = tableOf(replication('a', { identity: 'i' }));
    const same = replication('b', { identity: 'i' });
    expect(() => addReplication(table, same, NOW)).toThrow(expect.objectContaining({ code: 'replication.running' }));
    expect(() => addReplication(deleteReplication(table, 1)!, same, NOW)).toThrow();
    expect(addReplication(table, { ...same, origin: 'configured' }, NOW).number).toBe(2);
    expect(addReplication(endReplication(table, taskOf(1)), same, NOW).number).toBe(2);
  });

  describe('has room', () => {
    const many = (count: number, members?: Partial<NewReplication>): NewReplication[] =>
      Array.from({ length: count }, (_, n) => replication(`${n}`, members));
    const full = expect.objectContaining({ code: 'replication.limit', status: 503 });

    it('for a bounded number of them', () => {
      const table = tableOf(...many(500));
      expect(() => addReplication(table, replication('more'), NOW)).toThrow(full);
      expect(addReplication(table, replication('0'), NOW).number).toBe(1);
      const next = hideReplication(endReplication(table, taskOf(7)), 7);
      expect(addReplication(next, replication('more'), NOW).number).toBe(501);
    });

    it('for definitions of 16 MB in all, until some of them have ended', () => {
      const table = tableOf(...many(64, { definitionBytes: 256 * 1_024 }));
      expect(() => addReplication(table, replication('more', { definitionBytes: 1 }), NOW)).toThrow(full);
      expect(addReplication(table, replication('more', { origin: 'configured' }), NOW).number).toBe(65);
      const next = endReplication(table, taskOf(7));
      expect(addReplication(next, replication('more', { definitionBytes: 256 * 1_024 }), NOW).number).toBe(65);
    });

    it('for rows that fit into one message, also when all have ended with the longest error', () => {
      const long = { target: `wss://host/${'d'.repeat(400)}` };
      let table = tableOf();
      let rows = 0;
      expect(() => {
        for (; ; rows++) table = addReplication(table, replication(`${rows}`, long), NOW).table;
      }).toThrow(full);
      expect(rows).toBeGreaterThan(400);
      const error = { error: '\u20ac'.repeat(10_000), 'x-litecore-domain': 1, 'x-litecore-code': 26 };
      for (const row of table.rows) table = endReplication(table, { ...recordedTask(row), status: 'Stopped', error });
      expect(table.rows.map(({ ended }) => ended!.task.error!.error.length)).toEqual(Array(MAX_ENDED).fill(200));
      expect(Buffer.byteLength(JSON.stringify(table))).toBeLessThan(1_000_000);
    });
  });

  it('keeps those that have ended until they are deleted, and configured ones hidden so that nobody starts them again', () => {
    const configured = replication('a', { origin: 'configured' });
    const ended = endReplication(tableOf(configured, replication('b')), taskOf(1));
    expect(shownReplications(ended, [], true, NOW).map(({ task_id }) => task_id)).toEqual([1, 2]);
    const hidden = deleteReplication(ended, 1)!;
    expect(numbers(hidden)).toEqual([1, 2]);
    expect(shownReplications(hidden, [], true, NOW).map(({ task_id }) => task_id)).toEqual([2]);
    expect(addReplication(hidden, configured, NOW)).toEqual({ table: hidden, number: 1 });
    expect(deleteReplication(hidden, 1)).toBeUndefined();
    expect(numbers(removeReplications(hidden, () => true))).toEqual([2]);
    expect(numbers(deleteReplication(endReplication(hidden, taskOf(2)), 2)!)).toEqual([1]);
  });

  it('shows a bounded number of those that have ended, the latest', () => {
    const many = Array.from({ length: MAX_ENDED + 2 }, (_, index) =>
      replication(`${index}`, index === 0 ? { origin: 'configured' } : {}),
    );
    const table = numbers(tableOf(...many)).reduce(
      (table, number) => endReplication(table, taskOf(number)),
      tableOf(...many),
    );
    expect(shownReplications(table, [], true, NOW)).toHaveLength(MAX_ENDED);
    expect(numbers(table).slice(0, 3)).toEqual([1, 3, 4]);
  });

  it('lets requested ones that have ended make room, the oldest first', () => {
    const rows = Array.from({ length: 500 }, (_, index) => replication(`${index}`));
    const table = [7, 3].reduce((table, number) => endReplication(table, taskOf(number)), tableOf(...rows));
    const added = addReplication(table, replication('more'), NOW).table;
    expect(numbers(added)).not.toContain(3);
    expect(numbers(added)).toContain(7);
  });

  it('may be changed the same way twice', () => {
    const stopping = deleteReplication(tableOf(replication('a'), replication('b')), 1)!;
    expect(deleteReplication(stopping, 1)).toBe(stopping);
    expect(deleteReplication(stopping, 7)).toBeUndefined();
    const ended = endReplication(stopping, taskOf(1));
    expect(endReplication(ended, taskOf(1))).toBe(ended);
    const hidden = hideReplication(ended, 1);
    expect(hideReplication(hidden, 1)).toBe(hidden);
    expect(hideReplication(hidden, 2)).toBe(hidden);
  });
});

describe('replications', () => {
  const table = endReplication(tableOf(replication('a'), replication('b'), replication('c')), taskOf(3));
  const reported: ReplicationTask = { ...taskOf(1), status: 'Idle', docs_written: 7 };

  it('are shown as workers report, as they ended, or as about to be taken', () => {
    const shown = shownReplications(table, [reported], true, NOW + 5_500);
    expect(shown).toMatchObject([
      { task_id: 1, status: 'Idle', docs_written: 7, age_secs: 5 },
      { task_id: 2, status: 'Connecting', continuous: true },
      { task_id: 3, status: 'Stopped' },
    ]);
    expect(shown[1]).not.toHaveProperty('error');
  });

  it('of a worker that keeps silent are shown as offline', () => {
    expect(shownReplications(table, [], false, NOW)[0]).toMatchObject({
      status: 'Offline',
      error: { 'x-litecore-domain': 6, 'x-litecore-code': 503 },
    });
  });

  it('have no negative age, and are not shown once they are hidden', () => {
    const configured = endReplication(tableOf(replication('a', { origin: 'configured' })), taskOf(1));
    expect(shownReplications(configured, [], true, NOW - 5_000)[0]!.age_secs).toBe(0);
    expect(shownReplications(hideReplication(configured, 1), [], true, NOW)).toEqual([]);
  });
});
