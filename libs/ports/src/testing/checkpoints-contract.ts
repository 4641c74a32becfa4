import { expect, it } from 'vitest';
import { DEFAULT, SENSORS, type StorageUnderTest } from './storage-under-test.js';

export function describeCheckpoints(under: () => StorageUnderTest): void {
  const CLIENT = 'cp-Jd8/k+=';

  it('gives back the bytes it got, and counts the saves', async () => {
    const { storage } = under();
    expect(await storage.loadCheckpoint(SENSORS, CLIENT)).toBeUndefined();
    const body = '{"local": 10,  "remote":"9007199254740993","x":"\\ud800é"}';
    expect(await storage.saveCheckpoint(SENSORS, CLIENT, '', body)).toBe('0-1');
    expect(await storage.loadCheckpoint(SENSORS, CLIENT)).toEqual({ rev: '0-1', body });
    expect(await storage.saveCheckpoint(SENSORS, CLIENT, '0-1', '{}')).toBe('0-2');
    expect(await storage.loadCheckpoint(SENSORS, CLIENT)).toEqual({ rev: '0-2', body: '{}' });
  });

  it('saves only over the revision it was read at', async () => {
    const { storage } = under();
    const conflict = { code: 'checkpoint.conflict' };
    await expect(storage.saveCheckpoint(SENSORS, CLIENT, '0-1', '{}')).rejects.toMatchObject(conflict);
    await storage.saveCheckpoint(SENSORS, CLIENT, '', '{"n":1}');
    await expect(storage.saveCheckpoint(SENSORS, CLIENT, '', '{}')).rejects.toMatchObject(conflict);
    await expect(storage.saveCheckpoint(SENSORS, CLIENT, '0-2', '{}')).rejects.toMatchObject(conflict);
    expect(await storage.loadCheckpoint(SENSORS, CLIENT)).toEqual({ rev: '0-1', body: '{"n":1}' });
  });

  it('lets exactly one of two competing saves win', async () => {
    const { storage } = under();
    const outcomes = await Promise.allSettled([
      storage.saveCheckpoint(SENSORS, CLIENT, '', '{"n":1}'),
      storage.saveCheckpoint(SENSORS, CLIENT, '', '{"n":2}'),
    ]);
    expect(outcomes.map(({ status }) => status).sort()).toEqual(['fulfilled', 'rejected']);
  });

  it('keeps clients and collections apart', async () => {
    const { storage } = under();
    await storage.saveCheckpoint(SENSORS, 'a', '', '{"n":1}');
    await storage.saveCheckpoint(SENSORS, 'b', '', '{"n":2}');
    await storage.saveCheckpoint(DEFAULT, 'a', '', '{"n":3}');
    expect((await storage.loadCheckpoint(SENSORS, 'a'))?.body).toBe('{"n":1}');
    expect((await storage.loadCheckpoint(SENSORS, 'b'))?.body).toBe('{"n":2}');
    expect((await storage.loadCheckpoint(DEFAULT, 'a'))?.body).toBe('{"n":3}');
    expect(await storage.loadCheckpoint(DEFAULT, 'b')).toBeUndefined();
  });

  it('rings no doorbell and takes no sequence', async () => {
    const { storage } = under();
    const received: number[] = [];
    storage.watch(SENSORS, ({ sequence }) => received.push(sequence));
    await storage.saveCheckpoint(SENSORS, CLIENT, '', '{}');
    expect(await storage.collection(SENSORS)).toMatchObject({ lastSequence: 0 });
    expect(received).toEqual([]);
  });
}
