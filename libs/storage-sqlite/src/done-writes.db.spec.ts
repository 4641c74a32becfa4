import { edit, SENSORS, DATABASE, SETUP, type StorageUnderTest } from '@edgesync/ports/testing';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { openTestStorage } from './testing/test-storage.js';

describe('a write with an idempotency key', () => {
  let subject: StorageUnderTest;
  beforeEach(async () => {
    subject = await openTestStorage(SETUP);
  });
  afterEach(() => subject.close());
  const options = { idempotencyKey: 'k1' };
  const lastSequence = async () => (await subject.storage.collection(SENSORS)).lastSequence;

  it('is done once, and answered the same every time', async () => {
    const write = () => subject.storage.write(DATABASE, [edit('a'), edit('a'), edit('b', { expect: '1-x' })], options);
    const first = await write();
    expect(first.map(({ status }) => status)).toEqual(['stored', 'conflict', 'missing']);
    expect(await Promise.all([write(), write()])).toEqual([first, first]);
    expect(await lastSequence()).toBe(1);
  });

  it('is done once when both copies share a transaction', async () => {
    const [first, second] = await Promise.all([
      subject.storage.write(DATABASE, [edit('a')], options),
      subject.storage.write(DATABASE, [edit('a')], options),
    ]);
    expect(second).toEqual(first);
    expect(await lastSequence()).toBe(1);
  });

  it('is remembered by the next owner', async () => {
    const first = await subject.storage.write(DATABASE, [edit('a')], options);
    await subject.reopen();
    expect(await subject.storage.write(DATABASE, [edit('a')], options)).toEqual(first);
    expect(await lastSequence()).toBe(1);
  });

  it('is another write under another key, and without one', async () => {
    await subject.storage.write(DATABASE, [edit('a')], options);
    const again = await subject.storage.write(DATABASE, [edit('a')], { idempotencyKey: 'k2' });
    expect(again).toMatchObject([{ status: 'conflict' }]);
    expect(await subject.storage.write(DATABASE, [edit('a')])).toMatchObject([{ status: 'conflict' }]);
  });

  it('is forgotten when nobody can be repeating it any more', async () => {
    await subject.storage.write(DATABASE, [edit('a')], options);
    subject.advance(600);
    await subject.sweep();
    expect(await subject.storage.write(DATABASE, [edit('a')], options)).toMatchObject([{ status: 'stored' }]);
    subject.advance(601);
    await subject.sweep();
    expect(await subject.storage.write(DATABASE, [edit('a')], options)).toMatchObject([{ status: 'conflict' }]);
  });

  it('of a checkpoint gives the same revision again; a conflict leaves no trace', async () => {
    const save = (rev: string, key: string) =>
      subject.storage.saveCheckpoint(SENSORS, 'client', rev, '{}', { idempotencyKey: key });
    expect(await save('', 'k1')).toBe('0-1');
    expect(await save('', 'k1')).toBe('0-1');
    await expect(save('', 'k2')).rejects.toMatchObject({ code: 'checkpoint.conflict' });
    expect(await save('0-1', 'k2')).toBe('0-2');
  });
});
