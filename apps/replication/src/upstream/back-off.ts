import { LONGEST_RETRY_MS, ONE_SHOT_RETRIES } from '../tuning.js';
import type { FailureKind } from './failure.js';

/**
 * How long to wait before the next attempt: 2, 4, 8 … seconds, at most 300, and up to a quarter less, so that clients of
 * a server that was away do not all come at once (wire I.4).
 * @param failures in a row, this one included
 * @param random from 0 up to 1
 */
export function retryDelayMs(failures: number, random: number): number {
  const full = Math.min(2 ** Math.min(failures, 30) * 1_000, LONGEST_RETRY_MS);
  return Math.round(full * (1 - random / 4));
}

/** Whether to try again after so many failures in a row (ref 12.2). */
export function triesAgain(kind: FailureKind, continuous: boolean, failures: number): boolean {
  if (kind === 'permanent') return false;
  if (continuous) return true;
  return kind === 'transient' && failures <= ONE_SHOT_RETRIES;
}
