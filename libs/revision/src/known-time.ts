import QuickLRU from 'quick-lru';
import {
  EARLIEST_TIME,
  LATEST_TIME,
  MAX_CLOCK_AHEAD_NANOSECONDS,
  nanoseconds,
  SOFTWARE_EPOCH,
} from './hybrid-clock.js';

/** How long a box may have been without the time; software older than that is not in use. Ten years. */
export const MOST_BEHIND_NANOSECONDS = 10n * 365n * 86_400n * 1_000_000_000n;

/** A witness that was not observed for this long no longer counts. A day. */
const WITNESS_LIFE_MS = 86_400_000;

/** Two readings of the same instant. */
export interface Moment {
  /** The wall clock, which may be wrong and may be set at any time: milliseconds since the epoch. */
  readonly wallMs: number;
  /** A clock that only runs: milliseconds since any beginning. */
  readonly uptimeMs: number;
}

interface Claim {
  readonly time: bigint;
  readonly uptimeMs: number;
}

/**
 * Distinguishes versions from the future from a clock of ours that is behind. Boxes boot without the time: in 1970, at
 * the date of their image, or where they were switched off. Apps that know the time must be able to sync with them all
 * the same, while on a box that knows it a single app whose clock is ahead must not store what no other app would take.
 *
 * The time is at least that of this software, that of our own latest version, and what more than half of the witnesses
 * claim: peers that made versions lately. One witness alone is never trusted. What is learned here only decides which
 * versions are taken; our own clock does not follow it, so nobody can move that.
 */
export class KnownTime {
  private floor = SOFTWARE_EPOCH;
  private readonly claims: QuickLRU<string, Claim>;

  /** @param limit of witnesses that are kept, at least; those observed longest ago are forgotten */
  constructor(limit = 256) {
    this.claims = new QuickLRU({ maxSize: limit });
  }

  /** A clock of ours has been there. @param time hex */
  atLeast(time: string): void {
    const value = BigInt(`0x${time}`);
    if (value > this.floor && value <= LATEST_TIME) this.floor = value;
  }

  /**
   * A witness made a version at a time, or before now. Of each the latest claim counts, and it runs on.
   * @param time hex
   */
  observe(witness: string, time: string, { wallMs, uptimeMs }: Moment): void {
    const value = BigInt(`0x${time}`);
    const known = max(nanoseconds(wallMs), this.floor);
    if (value < EARLIEST_TIME || value > known + MOST_BEHIND_NANOSECONDS) return;
    const before = this.claims.get(witness);
    const isLater = !before || isOld(before, uptimeMs) || value > runOn(before, uptimeMs);
    this.claims.set(witness, isLater ? { time: value, uptimeMs } : before);
  }

  /** The latest time that a version may have without being ahead: nanoseconds since the epoch. */
  horizon({ wallMs, uptimeMs }: Moment): bigint {
    const wall = nanoseconds(wallMs);
    if (wall + MAX_CLOCK_AHEAD_NANOSECONDS < this.floor) return this.floor + MOST_BEHIND_NANOSECONDS;
    return max(wall, this.agreed(uptimeMs)) + MAX_CLOCK_AHEAD_NANOSECONDS;
  }

  /** The latest time that more than half of the witnesses claim, and at least two; 0 if there is none. */
  private agreed(uptimeMs: number): bigint {
    const times: bigint[] = [];
    for (const [, claim] of this.claims) if (!isOld(claim, uptimeMs)) times.push(runOn(claim, uptimeMs));
    if (times.length < 2) return 0n;
    times.sort((a, b) => (a > b ? -1 : a < b ? 1 : 0));
    return times[Math.floor(times.length / 2)]!;
  }
}

const runOn = ({ time, uptimeMs }: Claim, now: number): bigint => time + nanoseconds(now - uptimeMs);
const isOld = ({ uptimeMs }: Claim, now: number): boolean => now - uptimeMs > WITNESS_LIFE_MS;
const max = (one: bigint, other: bigint): bigint => (one > other ? one : other);
