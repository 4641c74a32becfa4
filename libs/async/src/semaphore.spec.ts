import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { Semaphore, type SemaphoreLimits } from './semaphore.js';

const turn = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));

/** A semaphore whose tasks end on request, and the order in which they started. */
function controlled(limits: SemaphoreLimits) {
  const semaphore = new Semaphore(limits);
  const started: string[] = [];
  const ends = new Map<string, () => void>();
  return {
    semaphore,
    started,
    add: (name: string, claim?: { bytes?: number; party?: string }): Promise<string> =>
      semaphore.run(() => {
        started.push(name);
        return new Promise((resolve) => ends.set(name, () => resolve(name)));
      }, claim),
    end: async (name: string): Promise<void> => {
      ends.get(name)!();
      await turn();
    },
  };
}

describe('a semaphore', () => {
  it('runs so many tasks at a time, in order, and refuses those for which there is no room', async () => {
    const { semaphore, add, end, started } = controlled({ running: 2, waiting: 1 });
    const [a, b, c, d] = ['a', 'b', 'c', 'd'].map((name) => add(name));
    await expect(d).rejects.toMatchObject({ code: 'server.overloaded' });
    expect(started).toEqual(['a', 'b']);
    await end('b');
    expect(started).toEqual(['a', 'b', 'c']);
    const idle = semaphore.idle();
    await end('a');
    await end('c');
    expect(await Promise.all([a, b, c])).toEqual(['a', 'b', 'c']);
    await idle;
  });

  it('counts the bytes of tasks that wait', async () => {
    const { add, end } = controlled({ running: 1, waiting: 10, waitingBytes: 100 });
    void add('first', { bytes: 1_000 });
    void add('second', { bytes: 100 });
    await expect(add('third', { bytes: 1 })).rejects.toMatchObject({ code: 'server.overloaded' });
    await end('first');
    const fourth = add('fourth', { bytes: 100 });
    await end('second');
    await end('fourth');
    expect(await fourth).toBe('fourth');
  });

  it('lets parties take turns, however many tasks one of them brings', async () => {
    const { add, end, started } = controlled({ running: 1, waiting: 99 });
    for (const name of ['f1', 'f2', 'f3', 'f4']) void add(name, { party: 'flood' });
    for (const name of ['p1', 'p2']) void add(name, { party: 'polite' });
    void add('o1', { party: 'other' });
    for (let index = 0; index < 7; index++) await end(started.at(-1)!);
    expect(started).toEqual(['f1', 'f2', 'p1', 'o1', 'f3', 'p2', 'f4']);
  });

  it('refuses tasks of a party that has too many, with the error that it was given, and takes those of others', async () => {
    const { add, end, started } = controlled({
      running: 1,
      waiting: 99,
      waitingPerParty: 1,
      refusal: 'auth.throttled',
    });
    void add('f1', { party: 'flood' });
    void add('f2', { party: 'flood' });
    await expect(add('f3', { party: 'flood' })).rejects.toMatchObject({ code: 'auth.throttled' });
    void add('o1', { party: 'other' });
    await end('f1');
    await end('f2');
    expect(started).toEqual(['f1', 'f2', 'o1']);
  });

  it('goes on after tasks that fail', async () => {
    const semaphore = new Semaphore({ running: 1, waiting: 10 });
    const outcomes = await Promise.allSettled([
      semaphore.run(() => Promise.reject(new Error('failed'))),
      semaphore.run(async () => 'fine'),
    ]);
    expect(outcomes.map(({ status }) => status)).toEqual(['rejected', 'fulfilled']);
    await semaphore.idle();
  });

  it('never runs more than its limit, and each task once', async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(fc.nat({ max: 3 })), fc.integer({ min: 1, max: 3 }), async (parties, limit) => {
        const semaphore = new Semaphore({ running: limit, waiting: Infinity });
        let running = 0;
        let most = 0;
        let done = 0;
        await Promise.all(
          parties.map((party) =>
            semaphore.run(
              async () => {
                most = Math.max(most, ++running);
                await turn();
                running--;
                done++;
              },
              { party: String(party) },
            ),
          ),
        );
        await semaphore.idle();
        expect(done).toBe(parties.length);
        expect(most).toBe(Math.min(limit, parties.length));
      }),
      { numRuns: 30 },
    );
  });
});
