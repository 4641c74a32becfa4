import type { ReplicationConfig } from '@edgesync/config';
import { EdgeError } from '@edgesync/errors';
import { describe, expect, it } from 'vitest';
import type { ReplicationRecords } from '../replication-records.js';
import { addReplication, endReplication, recordedTask, type NewReplication } from '../replication-table.js';

/** Records that share one table, and what ends them. */
export type OpenRecords = (count: number) => Promise<{
  readonly records: readonly ReplicationRecords[];
  close(): Promise<void>;
}>;

const NOW = 1_780_000_000_000;
const SLOW = { timeout: 10_000 };
const DEFINITION: ReplicationConfig = { source: 'db', target: 'wss://host/db', bidirectional: false, continuous: true };

const replication = (key: string): NewReplication => ({ ...DEFINITION, origin: 'requested', key, identity: key });
const add = (records: ReplicationRecords, key: string): Promise<unknown> =>
  records.change((table) => addReplication(table, replication(key), NOW, (table) => records.nextNumber(table)).table);

/** The contract of the table of replications, wherever it is. */
export function describeReplicationRecords(name: string, open: OpenRecords): void {
  describe(`the table of replications ${name}`, () => {
    it('is changed by many at a time, and every change counts', async () => {
      const { records, close } = await open(4);
      await Promise.all(records.flatMap((one, index) => [add(one, `${index}`), add(one, `${index}+`)]));
      const { rows } = await records[0]!.read();
      expect(rows.map(({ key }) => key).sort()).toEqual(['0', '0+', '1', '1+', '2', '2+', '3', '3+']);
      expect(new Set(rows.map(({ number }) => number)).size).toBe(8);
      await close();
    });

    it('is as it was if a change is refused', async () => {
      const {
        records: [one],
        close,
      } = await open(1);
      await add(one!, 'a');
      const refuse = (): never => {
        throw new EdgeError('replication.running');
      };
      await expect(one!.change(refuse)).rejects.toMatchObject({ code: 'replication.running' });
      expect((await one!.read()).rows).toHaveLength(1);
      await close();
    });

    it('is shown to those who follow it, now and after every change', async () => {
      const { records, close } = await open(2);
      const [one, other] = [records[0]!, records.at(-1)!];
      const seen: number[] = [];
      const unfollow = other.follow(({ rows }) => void (seen.at(-1) === rows.length || seen.push(rows.length)));
      await expect.poll(() => seen, SLOW).toEqual([0]);
      await add(one, 'a');
      await expect.poll(() => seen, SLOW).toEqual([0, 1]);
      unfollow();
      await add(one, 'b');
      await one.read();
      expect(seen).toEqual([0, 1]);
      await close();
    });

    it('keeps definitions until they are dropped', async () => {
      const { records, close } = await open(3);
      const [one, other, third] = [records[0]!, records.at(-2)!, records.at(-1)!];
      expect(await one.putDefinition('a', DEFINITION)).toBeGreaterThan(50);
      await add(one, 'a');
      expect(await other.definition('a')).toEqual(DEFINITION);
      expect(await other.definition('b')).toBeUndefined();
      await one.dropStrays();
      await one.dropDefinition('a');
      expect(await third.definition('a')).toBeUndefined();
      await close();
    });

    it('keeps how a replication ended', async () => {
      const { records, close } = await open(2);
      const [one, other] = [records[0]!, records.at(-1)!];
      await add(one, 'a');
      const task = recordedTask((await other.read()).rows[0]!);
      await other.change((table) => endReplication(table, task));
      expect((await one.read()).rows[0]!.ended).toEqual({ task, isHidden: false });
      await close();
    });

    it('has fingerprints that are the same for the same text alone', async () => {
      const { records, close } = await open(2);
      const [one, other] = [records[0]!, records.at(-1)!];
      expect(one.fingerprint('a')).toBe(other.fingerprint('a'));
      expect(one.fingerprint('a')).not.toBe(one.fingerprint('b'));
      await close();
    });
  });
}
