import { isLegacyVersion, isVersionSyntax, versionTime } from './version.js';

/** The smallest version time Couchbase Lite takes: about 18 minutes after the epoch, so a plain counter is refused. */
export const EARLIEST_TIME = 1n << 40n;
/** The greatest: 63 bits. */
export const LATEST_TIME = (1n << 63n) - 1n;
/**
 * How far ahead of its own clock Couchbase Lite lets a version be; beyond, the revision is lost for it
 * (docs/protocol/revisions.md#time).
 */
export const MAX_CLOCK_AHEAD_NANOSECONDS = 120_000_000_000n;

/** No clock that is right is before this software: 2026-01-01, in nanoseconds. To be moved on now and then. */
export const SOFTWARE_EPOCH = 1_767_225_600_000_000_000n;

const COUNTER_BITS = 0xffffn;
const NANOSECONDS_PER_MILLISECOND = 1_000_000n;

/** Milliseconds, such as `Date.now()`, in nanoseconds. */
export function nanoseconds(milliseconds: number): bigint {
  return BigInt(Math.trunc(milliseconds)) * NANOSECONDS_PER_MILLISECOND;
}

/** The latest time that is not ahead of a wall clock in milliseconds: nanoseconds. */
export function clockHorizon(wallMilliseconds: number): bigint {
  return nanoseconds(wallMilliseconds) + MAX_CLOCK_AHEAD_NANOSECONDS;
}

/**
 * The hybrid logical clock of one database (docs/protocol/revisions.md#time): wall time with 16 counter bits, and never
 * the same or an earlier time twice, whatever the wall clock does. Foreign versions do not move it. A wall clock that
 * was never set counts as {@link SOFTWARE_EPOCH}: clients refuse times from near 1970 for good.
 */
export class HybridClock {
  #last: bigint;

  /** @param last the latest time this database ever gave out, hex; absent for a new database */
  constructor(last?: string) {
    this.#last = last ? BigInt(`0x${last}`) : 0n;
  }

  /** The latest time given out or observed, hex; '0' if there is none. */
  get last(): string {
    return this.#last.toString(16);
  }

  /** The next time, hex, for a wall clock in nanoseconds since the epoch. */
  next(wallNanoseconds: bigint): string {
    const wall = (wallNanoseconds > SOFTWARE_EPOCH ? wallNanoseconds : SOFTWARE_EPOCH) & ~COUNTER_BITS;
    this.#last = wall > this.#last ? wall : this.#last + 1n;
    return this.#last.toString(16);
  }

  /** The same for a wall clock in milliseconds, such as `Date.now()`. */
  nextAt(wallMilliseconds: number): string {
    return this.next(nanoseconds(wallMilliseconds));
  }

  /** Makes sure that later times are after `time` (hex): for times of this database found in storage. */
  observe(time: string): void {
    const seen = BigInt(`0x${time}`);
    if (seen > this.#last) this.#last = seen;
  }
}

/**
 * Why Couchbase Lite would refuse a foreign version (docs/protocol/revisions.md#time), or undefined if it would not.
 * @param time hex
 * @param horizon nanoseconds; what is later is ahead. Two minutes after the time that is known.
 */
export function timeFault(time: string, horizon: bigint): 'too-early' | 'too-late' | 'ahead' | undefined {
  const value = BigInt(`0x${time}`);
  if (value < EARLIEST_TIME) return 'too-early';
  if (value > LATEST_TIME) return 'too-late';
  return value > horizon ? 'ahead' : undefined;
}

/**
 * The first fault among the versions of a vector. Rev-tree IDs, versions
 * that stand for them, and what is no version carry no time and pass.
 */
export function vectorTimeFault(
  vector: string,
  horizon: bigint,
): { readonly version: string; readonly fault: 'too-early' | 'too-late' | 'ahead' } | undefined {
  for (const element of vector.split(/[,;]/)) {
    const version = element.trim();
    if (!isVersionSyntax(version) || isLegacyVersion(version)) continue;
    const fault = timeFault(versionTime(version), horizon);
    if (fault) return { version, fault };
  }
  return undefined;
}
