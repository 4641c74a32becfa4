import type { Scheduler } from '@edgesync/blip';

/** Timers of the runtime. They keep no process alive. */
export const systemScheduler: Scheduler = {
  schedule(delayMs, callback) {
    const timer = setTimeout(callback, delayMs).unref();
    return () => clearTimeout(timer);
  },
};
