import type { Scheduler } from './scheduler.js';
import { sleep } from './waiting.js';

export interface BackOff {
  /** Milliseconds after the first failure; doubled after each further one. */
  readonly firstMs: number;
  readonly longestMs: number;
  /** Most of a delay that is left off at random, from 0 to 1, so that many callers do not come back at once. Default 0. */
  readonly jitter?: number;
}

/**
 * The pause before the next attempt, in milliseconds.
 * @param failures in a row, from 1
 * @param random from 0 up to 1
 */
export function backOffMs(failures: number, { firstMs, longestMs, jitter = 0 }: BackOff, random = Math.random): number {
  // 2^30 times anything is longer than the longest.
  const full = Math.min(firstMs * 2 ** Math.min(failures - 1, 30), longestMs);
  return jitter === 0 ? full : full * (1 - jitter * random());
}

export interface RetryOptions {
  /** Whether to try again after so many failures, of which this error is the last. */
  readonly isWorthwhile: (error: unknown, failures: number) => boolean;
  /** The pause before the next attempt, in milliseconds. Default: none. */
  readonly pauseMs?: (failures: number) => number;
  /** Ends a pause; then there is one more attempt if {@link isWorthwhile} still says so. */
  readonly signal?: AbortSignal;
  readonly scheduler?: Scheduler;
}

/** Repeats work that fails. @throws the error after which it is not repeated */
export async function retry<T>(work: () => Promise<T>, options: RetryOptions): Promise<T> {
  const { isWorthwhile, pauseMs, ...pause } = options;
  for (let failures = 1; ; failures++)
    try {
      return await work();
    } catch (error) {
      if (!isWorthwhile(error, failures)) throw error;
      if (pauseMs) await sleep(pauseMs(failures), pause);
    }
}
