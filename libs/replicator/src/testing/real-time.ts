import type { Scheduler } from '@edgesync/async';

/** Real timers. A delay of zero is the next turn of the event loop. */
export const REAL_TIME: Scheduler = {
  schedule(delayMs, callback) {
    if (delayMs === 0) {
      const immediate = setImmediate(callback);
      return () => clearImmediate(immediate);
    }
    const timer = setTimeout(callback, delayMs);
    timer.unref();
    return () => clearTimeout(timer);
  },
};
