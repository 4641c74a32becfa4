import { describe, expect, it } from 'vitest';
import { aborted, backOffMs, finishesWithin, retry, sleep, type Scheduler } from './index.js';

/** Timers that fire on request, in the order of their times. */
class ManualScheduler implements Scheduler {
  readonly delays: number[] = [];
  private readonly callbacks = new Set<() => void>();

  schedule(delayMs: number, callback: () => void): () => void {
    this.delays.push(delayMs);
    this.callbacks.add(callback);
    return () => this.callbacks.delete(callback);
  }

  get pending(): number {
    return this.callbacks.size;
  }

  async fire(): Promise<void> {
    const callbacks = [...this.callbacks];
    this.callbacks.clear();
    for (const callback of callbacks) callback();
    await new Promise((resolve) => setImmediate(resolve));
  }
}

const failing = (times: number) => {
  let calls = 0;
  return {
    work: async () => {
      if (++calls <= times) throw new Error(`failure ${calls}`);
      return calls;
    },
    calls: () => calls,
  };
};

describe('the pause before the next attempt', () => {
  it('doubles up to the longest', () => {
    const pauses = [1, 2, 3, 4, 5, 6, 1_000].map((failures) => backOffMs(failures, { firstMs: 2, longestMs: 30 }));
    expect(pauses).toEqual([2, 4, 8, 16, 30, 30, 30]);
  });

  it('is shorter by a random part of what the jitter allows', () => {
    const backOff = { firstMs: 100, longestMs: 1_000, jitter: 0.25 };
    expect([0, 0.5, 1].map((random) => backOffMs(2, backOff, () => random))).toEqual([200, 175, 150]);
  });
});

describe('retry', () => {
  it('repeats the work after each pause until it succeeds', async () => {
    const scheduler = new ManualScheduler();
    const { work } = failing(2);
    const result = retry(work, { isWorthwhile: () => true, pauseMs: (failures) => failures * 10, scheduler });
    await scheduler.fire();
    await scheduler.fire();
    await scheduler.fire();
    expect(await result).toBe(3);
    expect(scheduler.delays).toEqual([10, 20]);
  });

  it('throws the error after which it is not worthwhile', async () => {
    const { work, calls } = failing(9);
    await expect(retry(work, { isWorthwhile: (_, failures) => failures < 3 })).rejects.toThrow('failure 3');
    expect(calls()).toBe(3);
  });
});

describe('waiting', () => {
  it('for work ends with the work, or when its time is over', async () => {
    const scheduler = new ManualScheduler();
    expect(await finishesWithin(10, Promise.resolve(), scheduler)).toBe(true);
    expect(scheduler.pending).toBe(0);
    const late = finishesWithin(10, new Promise(() => {}), scheduler);
    await scheduler.fire();
    expect(await late).toBe(false);
  });

  it('for work throws its error, and swallows one that comes too late', async () => {
    const scheduler = new ManualScheduler();
    await expect(finishesWithin(10, Promise.reject(new Error('failed')), scheduler)).rejects.toThrow('failed');
    let fail!: (error: Error) => void;
    const late = finishesWithin(10, new Promise((_, reject) => (fail = reject)), scheduler);
    await scheduler.fire();
    expect(await late).toBe(false);
    fail(new Error('too late'));
    await new Promise((resolve) => setImmediate(resolve));
  });

  it('for a time ends early when the signal is aborted, and leaves no timer', async () => {
    const scheduler = new ManualScheduler();
    const aborter = new AbortController();
    const sleeping = sleep(10, { signal: aborter.signal, scheduler });
    const ending = aborted(aborter.signal);
    aborter.abort();
    await Promise.all([sleeping, ending, sleep(10, { signal: aborter.signal, scheduler }), aborted(aborter.signal)]);
    expect(scheduler).toMatchObject({ pending: 0, delays: [10] });
  });
});
