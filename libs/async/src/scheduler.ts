/** Timers come from outside so that tests need not wait. */
export interface Scheduler {
  /** Calls back once after that many milliseconds; the returned function cancels. */
  schedule(delayMs: number, callback: () => void): () => void;
}

/** Timers of the runtime. They keep no process alive. */
export const systemScheduler: Scheduler = {
  schedule(delayMs, callback) {
    const timer = setTimeout(callback, delayMs);
    timer.unref();
    return () => clearTimeout(timer);
  },
};
