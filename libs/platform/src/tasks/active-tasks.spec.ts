import { expect, it } from 'vitest';
import { ActiveTasks } from './active-tasks.js';

it('lists tasks oldest first, with their age, until they end', () => {
  let now = 10_000;
  const tasks = new ActiveTasks(() => now);
  const begin = (type: string): (() => void) =>
    tasks.add({ id: tasks.nextId(), type, since: now, describe: () => ({ seen: now }) });
  const end = begin('changes');
  now = 12_999;
  begin('sync');
  expect(tasks.list()).toEqual([
    { task_id: 1, type: 'changes', age_secs: 2, seen: 12_999 },
    { task_id: 2, type: 'sync', age_secs: 0, seen: 12_999 },
  ]);
  end();
  end();
  begin('changes');
  expect(tasks.list().map(({ task_id }) => task_id)).toEqual([2, 3]);
});

it('shows no negative age after the clock was set back', () => {
  let now = 10_000;
  const tasks = new ActiveTasks(() => now);
  tasks.add({ id: tasks.nextId(), type: 'sync', since: now, describe: () => ({}) });
  now = 5_000;
  expect(tasks.list()[0]!.age_secs).toBe(0);
});

it('shows what goes on elsewhere among its own, by age', async () => {
  let now = 10_000;
  const tasks = new ActiveTasks(() => now, 1_001);
  const id = tasks.nextId();
  expect(id).toBe(1_001);
  tasks.add({ id, type: 'changes', since: now, describe: () => ({}) });
  const elsewhere = [
    { task_id: 1, type: 'replication', age_secs: 30 },
    { task_id: 2, type: 'replication', age_secs: 3 },
  ];
  tasks.include(() => Promise.resolve(elsewhere));
  now = 20_000;
  expect((await tasks.listAll()).map(({ task_id }) => task_id)).toEqual([1, 1_001, 2]);
  expect(tasks.list()).toHaveLength(1);
});
