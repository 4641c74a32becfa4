import { describe, expect, it } from 'vitest';
import { Gate } from './gate.js';

/** A task that ends on request. */
function task() {
  let finish!: () => void;
  const done = new Promise<void>((resolve) => (finish = resolve));
  let started = false;
  return {
    run: () => ((started = true), done),
    finish: () => finish(),
    get started() {
      return started;
    },
  };
}

describe('a gate', () => {
  it('runs so many at a time, in order, and refuses those for whom there is no room', async () => {
    const gate = new Gate({ running: 2, waiting: 1 });
    const tasks = [task(), task(), task(), task()];
    const runs = tasks.map(({ run }) => gate.run(run));
    await expect(runs[3]).rejects.toMatchObject({ code: 'server.overloaded' });
    expect(tasks.map(({ started }) => started)).toEqual([true, true, false, false]);
    tasks[1]!.finish();
    await runs[1];
    await expect.poll(() => tasks[2]!.started).toBe(true);
    tasks[0]!.finish();
    tasks[2]!.finish();
    await Promise.all(runs.slice(0, 3));
    await gate.idle();
  });

  it('counts the bytes of those that wait', async () => {
    const gate = new Gate({ running: 1, waiting: 10, waitingBytes: 100 });
    const first = task();
    const running = gate.run(first.run, 1_000);
    const waiting = gate.run(async () => 'done', 100);
    await expect(gate.run(async () => undefined, 1)).rejects.toMatchObject({ code: 'server.overloaded' });
    first.finish();
    await running;
    expect(await waiting).toBe('done');
    expect(await gate.run(async () => 'room again', 100)).toBe('room again');
  });

  it('goes on after tasks that fail', async () => {
    const gate = new Gate({ running: 1, waiting: 10 });
    const outcomes = await Promise.allSettled([
      gate.run(async () => {
        throw new Error('failed');
      }),
      gate.run(async () => 'fine'),
    ]);
    expect(outcomes.map(({ status }) => status)).toEqual(['rejected', 'fulfilled']);
    await gate.idle();
  });
});
