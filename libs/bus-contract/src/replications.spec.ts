import type { ReplicationRow, ReplicationTable, ReplicationTask } from '@edgesync/ports';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  parseReplicationTable,
  ReplicationTasksReply,
  StartReplicationReply,
  StartReplicationRequest,
} from './replications.js';

const parseTask = (task: unknown): unknown => ReplicationTasksReply.parse({ tasks: [task] });
const throughJson = (value: unknown): unknown => JSON.parse(JSON.stringify(value));
const malformed = expect.objectContaining({ code: 'bus.invalid' });

const TASK: ReplicationTask = {
  task_id: 4,
  session_id: 4,
  age_secs: 61,
  type: 'replication',
  source: 'wss://host:4984/db',
  target: 'db',
  continuous: true,
  bidirectional: true,
  updated_on: 1_780_000_000,
  status: 'Offline',
  progress: 12,
  docs_transferred: 12,
  docs_pending: 3,
  docs_failed: 1,
  conflicts_resolved: 2,
  bytes_received: 1,
  bytes_sent: 2,
  last_success: 1_780_000_000,
  next_retry: 1_780_000_100,
  error: { error: 'unknown host', 'x-litecore-domain': 5, 'x-litecore-code': 2 },
};
const ROW: ReplicationRow = {
  number: 4,
  origin: 'requested',
  key: 'k',
  identity: 'i',
  source: 'wss://host:4984/db',
  target: 'db',
  continuous: true,
  bidirectional: false,
  definitionBytes: 512,
  since: 1_780_000_000_000,
  isStopping: false,
};

describe('payloads about replications', () => {
  it('read back as sent', () => {
    expect(ReplicationTasksReply.parse(throughJson(new ReplicationTasksReply([TASK])))).toEqual({ tasks: [TASK] });
    expect(StartReplicationRequest.parse(throughJson(new StartReplicationRequest('k')))).toEqual({ key: 'k' });
    expect(StartReplicationReply.parse(throughJson(new StartReplicationReply(7)))).toEqual({ number: 7 });
    const table: ReplicationTable = {
      last: 9,
      rows: [
        ROW,
        { ...ROW, number: 5, isStopping: true, ended: { task: TASK, isHidden: true } },
        { ...ROW, number: 9, origin: 'configured', ended: { task: TASK, isHidden: false } },
      ],
    };
    expect(parseReplicationTable(throughJson(table))).toEqual(table);
  });

  it.each<[string, () => unknown]>([
    ['a task without a status', () => parseTask({ ...TASK, status: undefined })],
    ['an unknown status', () => parseTask({ ...TASK, status: 'Busy' })],
    ['counts that are texts', () => parseTask({ ...TASK, docs_read: '1' })],
    ['an error that is a text', () => parseTask({ ...TASK, error: 'x' })],
    ['numbers that do not rise', () => parseReplicationTable({ last: 4, rows: [ROW, ROW] })],
    ['a number that was never given', () => parseReplicationTable({ last: 3, rows: [ROW] })],
    ['an unknown origin', () => parseReplicationTable({ last: 4, rows: [{ ...ROW, origin: 'x' }] })],
    ['an end without a task', () => parseReplicationTable({ last: 4, rows: [{ ...ROW, ended: { isHidden: true } }] })],
  ])('refuse %s', (_, parse) => {
    expect(parse).toThrow(malformed);
  });

  it('of any JSON at all are read or refused, and nothing else', () => {
    const parsers = [
      parseReplicationTable,
      ...[ReplicationTasksReply, StartReplicationReply, StartReplicationRequest].map(
        (payload) => (meta: unknown) => payload.parse(meta),
      ),
    ];
    fc.assert(
      fc.property(fc.jsonValue(), fc.constantFrom(...parsers), (meta, parse) => {
        try {
          parse(meta);
        } catch (error) {
          expect(error).toEqual(malformed);
        }
      }),
    );
  });
});
