import { isVersion } from './rev-id.js';
import { isLegacyVersion, versionTime } from './version.js';

/** The smallest version time Couchbase Lite takes: about 18 minutes after the epoch, so a plain counter is refused. */
export const EARLIEST_TIME = 1n << 40n;
/** The greatest: 63 bits. */
export const LATEST_TIME = (1n << 63n) - 1n;
/** How far ahead of its own clock Couchbase Lite lets a version be; beyond, the revision is lost for it (wire F.3). */
export const MAX_CLOCK_AHEAD_NANOSECONDS = 120_000_000_000n;

const COUNTER_BITS = 0xffffn;
const NANOSECONDS_PER_MILLISECOND = 1_000_000n;

/**
 * The hybrid logical clock of one database (wire F.3): wall time with 16 counter bits, and never the same or an earlier
 * time twice, whatever the wall clock does. Foreign versions do not move it.
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
    const wall = wallNanoseconds & ~COUNTER_BITS;
    this.#last = wall > this.#last ? wall : this.#last + 1n;
    return this.#last.toString(16);
  }

  /** The same for a wall clock in milliseconds, such as `Date.now()`. */
  nextAt(wallMilliseconds: number): string {
    return this.next(BigInt(Math.trunc(wallMilliseconds)) * NANOSECONDS_PER_MILLISECOND);
  }

  /** Makes sure that later times are after `time` (hex): for times of this database found in storage. */
  observe(time: string): void {
    const seen = BigInt(`0x${time}`);
    if (seen > this.#last) this.#last = seen;
  }
}

/**
 * Why Couchbase Lite would refuse a foreign version (wire F.3, J.4 #43), or undefined if it would not.
 * @param time hex
 */
export function timeFault(time: string, wallNanoseconds: bigint): 'too-early' | 'too-late' | 'ahead' | undefined {
  const value = BigInt(`0x${time}`);
  if (value < EARLIEST_TIME) return 'too-early';
  if (value > LATEST_TIME) return 'too-late';
  return value > wallNanoseconds + MAX_CLOCK_AHEAD_NANOSECONDS ? 'ahead' : undefined;
}

/** The first fault among the versions of a vector. Rev-tree IDs, and versions that stand for them, carry no time and pass. */
export function vectorTimeFault(
  vector: string,
  wallNanoseconds: bigint,
): { readonly version: string; readonly fault: 'too-early' | 'too-late' | 'ahead' } | undefined {
  for (const element of vector.split(/[,;]/)) {
    const version = element.trim();
    if (!isVersion(version) || isLegacyVersion(version)) continue;
    const fault = timeFault(versionTime(version), wallNanoseconds);
    if (fault) return { version, fault };
  }
  return undefined;
}
