import { createHook } from 'node:async_hooks';
import { setImmediate } from 'node:timers/promises';
import { describe, expect, it } from 'vitest';
import { collectStartupGarbage } from './collect-startup-garbage.js';
import { keepTickObject } from './keep-tick-object.js';

/** The object of the tick that `schedule` queues. */
function tickObjectOf(schedule: () => void): WeakRef<object> {
  const objects: WeakRef<object>[] = [];
  const hook = createHook({
    init: (_id, type, _trigger, resource) => {
      if (type === 'TickObject') objects.push(new WeakRef(resource));
    },
  }).enable();
  schedule();
  hook.disable();
  return objects[0]!;
}

describe('keepTickObject', () => {
  it('keeps the object of a tick through the collection after the start', async () => {
    const ordinary = tickObjectOf(() => process.nextTick(() => {}));
    const kept = tickObjectOf(keepTickObject);
    await setImmediate();
    collectStartupGarbage();
    expect(ordinary.deref()).toBeUndefined();
    expect(kept.deref()).toBeDefined();
  });
});
