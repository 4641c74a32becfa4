import { backOffMs } from '@edgesync/async';
import QuickLRU from 'quick-lru';

/** After this many attempts without success, each further one has to wait. */
export const FREE_ATTEMPTS = 10;
/** Milliseconds before the first attempt that has to wait; doubled for each one after it. */
export const FIRST_DELAY = 250;
export const LONGEST_DELAY = 8_000;
/** Milliseconds after which one attempt is forgotten. */
export const FORGET_AFTER = 60_000;
/** An attempt that would have to wait longer than this is refused. */
export const LONGEST_WAIT = 20_000;
/** Pairs of address and user that are remembered at least; twice as many are at most. */
export const MAX_REMEMBERED = 10_000;

interface Attempts {
  count: number;
  /** When `count` was last right. */
  countedAt: number;
  /** When the next attempt may start. */
  nextAt: number;
}

/**
 * Slows down who tries one password after the other. Counts attempts by remote address and user name, so nobody can lock
 * a user out from elsewhere. Times are milliseconds of any steady clock.
 */
export class GuessThrottle {
  private readonly attempts = new QuickLRU<string, Attempts>({ maxSize: MAX_REMEMBERED });

  /**
   * Notes an attempt before its outcome is known, so that attempts made at once are slowed down like those in a row.
   * @returns milliseconds to wait before it, or undefined if it is refused
   */
  begin(key: string, now: number): number | undefined {
    const known = this.attempts.get(key);
    const forgotten = known ? Math.floor((now - known.countedAt) / FORGET_AFTER) : 0;
    const count = Math.max(0, (known?.count ?? 0) - forgotten);
    const start = Math.max(now, known?.nextAt ?? now);
    if (start - now > LONGEST_WAIT) return undefined;
    const excess = count + 1 - FREE_ATTEMPTS;
    const pause = excess < 0 ? 0 : backOffMs(excess + 1, { firstMs: FIRST_DELAY, longestMs: LONGEST_DELAY });
    this.attempts.set(key, { count: count + 1, countedAt: now, nextAt: start + pause });
    return start - now;
  }

  /** The user proved to be who they say: their attempts are forgotten. */
  succeeded(key: string): void {
    this.attempts.delete(key);
  }
}
