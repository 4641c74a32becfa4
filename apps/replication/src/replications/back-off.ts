import { backOffMs } from '@edgesync/async';
import { LONGEST_REFUSED_MS, LONGEST_RETRY_MS, ONE_SHOT_RETRIES, REFUSED_RETRY_MS, RETRY_MS } from '../tuning.js';
import type { FailureKind } from './failure.js';

/** How long a replication goes on trying. */
export interface Persistence {
  readonly continuous: boolean;
  /** It also goes on after what will not pass by itself, such as wrong credentials. */
  readonly isPersistent: boolean;
}

/**
 * How long to wait before the next attempt: 2, 4, 8 … seconds and at most 5 minutes, or after a refusal 10, 20, 40 … seconds
 * and at most 10 minutes. It is up to a quarter less, so that many clients do not come back at once.
 * @param failures in a row, this one included
 * @param random from 0 up to 1
 */
export function retryDelayMs(kind: FailureKind, failures: number, random: number): number {
  const [firstMs, longestMs] =
    kind === 'permanent' ? [REFUSED_RETRY_MS, LONGEST_REFUSED_MS] : [RETRY_MS, LONGEST_RETRY_MS];
  return Math.round(backOffMs(failures, { firstMs, longestMs, jitter: 0.25 }, () => random));
}

/** Whether to try again after so many failures in a row. */
export function triesAgain(kind: FailureKind, { continuous, isPersistent }: Persistence, failures: number): boolean {
  if (kind === 'permanent') return isPersistent;
  if (continuous) return true;
  return kind === 'transient' && failures <= ONE_SHOT_RETRIES;
}
