import { describe, expect, it } from 'vitest';
import { FairLimiter } from './fair-limiter.js';

/** Tasks that end on request, and the order in which they started. */
function tasks(limiter: FairLimiter) {
  const started: string[] = [];
  const ends = new Map<string, () => void>();
  const add = (party: string, name: string) =>
    limiter.run(party, () => {
      started.push(name);
      return new Promise<string>((resolve) => ends.set(name, () => resolve(name)));
    });
  const end = async (name: string) => {
    ends.get(name)!();
    await new Promise((resolve) => setImmediate(resolve));
  };
  return { started, add, end };
}

describe('the fair limiter', () => {
  it('runs no more than the given number at once', async () => {
    const { started, add, end } = tasks(new FairLimiter({ concurrency: 2, waitingPerParty: 9, waiting: 9 }));
    const results = ['a', 'b', 'c', 'd'].map((name) => add('x', name));
    expect(started).toEqual(['a', 'b']);
    await end('b');
    expect(started).toEqual(['a', 'b', 'c']);
    await end('a');
    await end('c');
    await end('d');
    expect(await Promise.all(results)).toEqual(['a', 'b', 'c', 'd']);
  });

  it('lets parties take turns, however many tasks one of them brings', async () => {
    const { started, add, end } = tasks(new FairLimiter({ concurrency: 1, waitingPerParty: 9, waiting: 99 }));
    for (const name of ['f1', 'f2', 'f3', 'f4']) void add('flood', name);
    for (const name of ['p1', 'p2']) void add('polite', name);
    void add('other', 'o1');
    for (let index = 0; index < 7; index++) await end(started.at(-1)!);
    expect(started).toEqual(['f1', 'f2', 'p1', 'o1', 'f3', 'p2', 'f4']);
  });

  it('refuses what is too much for one party and takes the others', async () => {
    const { started, add, end } = tasks(new FairLimiter({ concurrency: 1, waitingPerParty: 1, waiting: 99 }));
    void add('flood', 'f1');
    void add('flood', 'f2');
    await expect(add('flood', 'f3')).rejects.toMatchObject({ code: 'auth.throttled' });
    void add('other', 'o1');
    await end('f1');
    await end('f2');
    expect(started).toEqual(['f1', 'f2', 'o1']);
  });

  it('refuses what is too much in all', async () => {
    const { add } = tasks(new FairLimiter({ concurrency: 1, waitingPerParty: 9, waiting: 1 }));
    void add('a', 'a');
    void add('b', 'b');
    await expect(add('c', 'c')).rejects.toMatchObject({ code: 'auth.throttled' });
  });

  it('goes on after a task failed', async () => {
    const limiter = new FairLimiter({ concurrency: 1, waitingPerParty: 9, waiting: 9 });
    const failing = limiter.run('a', () => Promise.reject(new Error('no')));
    const following = limiter.run('a', () => Promise.resolve('done'));
    await expect(failing).rejects.toThrow('no');
    expect(await following).toBe('done');
  });
});
