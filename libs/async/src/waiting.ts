import type { Scheduler } from './scheduler.js';

/** Timers that keep the process alive: it waits for something. */
const timers: Scheduler = {
  schedule(delayMs, callback) {
    const timer = setTimeout(callback, delayMs);
    return () => clearTimeout(timer);
  },
};

/** Resolves after a time, or at once when the signal is aborted. */
export function sleep(
  delayMs: number,
  { signal, scheduler = timers }: { readonly signal?: AbortSignal; readonly scheduler?: Scheduler } = {},
): Promise<void> {
  if (signal?.aborted) return Promise.resolve();
  return new Promise((resolve) => {
    const done = (): void => {
      cancel();
      signal?.removeEventListener('abort', done);
      resolve();
    };
    const cancel = scheduler.schedule(delayMs, done);
    signal?.addEventListener('abort', done);
  });
}

/**
 * Waits for work, but no longer than a time. The work goes on all the same; its error is swallowed when it comes later.
 * @returns whether the work was finished in time
 * @throws the error of the work
 */
export function finishesWithin(
  delayMs: number,
  work: Promise<unknown>,
  scheduler: Scheduler = timers,
): Promise<boolean> {
  return new Promise((resolve, reject) => {
    const cancel = scheduler.schedule(delayMs, () => resolve(false));
    work.then(
      () => {
        cancel();
        resolve(true);
      },
      (error: unknown) => {
        cancel();
        reject(error as Error);
      },
    );
  });
}

/** Resolves when the signal is aborted. */
export function aborted(signal: AbortSignal): Promise<void> {
  if (signal.aborted) return Promise.resolve();
  return new Promise((resolve) => signal.addEventListener('abort', () => resolve(), { once: true }));
}
