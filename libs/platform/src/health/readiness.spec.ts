import { describe, expect, it } from 'vitest';
import type { Storage } from '@edgesync/ports';
import { Loggers } from '@edgesync/logging';
import { Readiness } from './readiness.js';

function readiness(read: (database: string) => Promise<unknown>, databases = ['a', 'b']) {
  const lines: string[] = [];
  const output = { line: (text: string) => void lines.push(text), flush: async () => {}, flushSync: () => {} };
  const loggers = new Loggers({ config: { console: true, domains: new Map() }, output, now: Date.now });
  const clock = { now: 0 };
  const asked: string[] = [];
  const info: { writeObstacle?: string } = {};
  const storage = {
    describe: async (name: string) => ({ ...info, collections: [{ scope: 's', collection: `${name}-c` }] }),
    read: (keyspace: { database: string; collection: string }) => {
      asked.push(`${keyspace.database} ${keyspace.collection}`);
      return read(keyspace.database);
    },
  } as unknown as Storage;
  const made = new Readiness({ storage, databases, log: loggers.domain('DB'), now: () => clock.now, patience: 20 });
  return { made, lines, clock, asked, info };
}

describe('readiness', () => {
  it('is given when every database can be read', async () => {
    const { made, asked } = readiness(async () => []);
    expect(await made.check()).toBe(true);
    expect(asked).toEqual(['a a-c', 'b b-c']);
  });

  it('is not given while no write can succeed', async () => {
    const { made, lines, clock, info } = readiness(async () => []);
    info.writeObstacle = 'storage.full';
    expect(await made.check()).toBe(false);
    expect(lines).toEqual([
      expect.stringContaining('not ready: a cannot be used: the disk is full'),
      expect.anything(),
    ]);
    delete info.writeObstacle;
    clock.now = 2000;
    expect(await made.check()).toBe(true);
    expect(lines[2]).toContain('a can be used again');
  });

  it('is asked of the storage once a second, however many ask', async () => {
    const { made, asked, clock } = readiness(async () => []);
    await Promise.all([made.check(), made.check()]);
    clock.now = 999;
    await made.check();
    expect(asked).toHaveLength(2);
    clock.now = 1000;
    await made.check();
    expect(asked).toHaveLength(4);
  });

  it('is not given when one fails, which is logged once, and its recovery too', async () => {
    let broken = true;
    const { made, lines, clock } = readiness(async (name) => {
      if (broken && name === 'b') throw new Error('disk away');
    });
    expect(await made.check()).toBe(false);
    clock.now = 2000;
    expect(await made.check()).toBe(false);
    broken = false;
    clock.now = 4000;
    expect(await made.check()).toBe(true);
    expect(lines).toEqual([
      expect.stringMatching(/DB ERROR not ready: b cannot be used: Error: disk away/),
      expect.stringMatching(/DB WARNING b can be used again$/),
    ]);
  });

  it('is not given when the storage does not answer', async () => {
    const { made } = readiness(() => new Promise(() => {}));
    expect(await made.check()).toBe(false);
  });
});
