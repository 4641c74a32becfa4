import { describe, expect, it } from 'vitest';
import {
  FIRST_DELAY,
  FORGET_AFTER,
  FREE_ATTEMPTS,
  GuessThrottle,
  LONGEST_DELAY,
  LONGEST_WAIT,
  MAX_REMEMBERED,
} from './guess-throttle.js';

const start = 1_000;
function exhausted(key = 'a') {
  const throttle = new GuessThrottle();
  for (let attempt = 0; attempt < FREE_ATTEMPTS; attempt++) expect(throttle.begin(key, start)).toBe(0);
  return throttle;
}

describe('the guess throttle', () => {
  it('lets some attempts pass and then waits longer and longer, up to a limit', () => {
    const throttle = exhausted();
    let now = start;
    const delays = Array.from({ length: 9 }, () => {
      const delay = throttle.begin('a', now)!;
      now += delay;
      return delay;
    });
    const doubled = [1, 2, 4, 8, 16].map((factor) => factor * FIRST_DELAY);
    expect(delays).toEqual([...doubled, ...Array<number>(4).fill(LONGEST_DELAY)]);
  });

  it('spaces attempts made at once like those in a row, and refuses what would wait too long', () => {
    const throttle = exhausted();
    const delays: (number | undefined)[] = Array.from({ length: 20 }, () => throttle.begin('a', start));
    const taken = delays.filter((delay) => delay !== undefined);
    expect(taken).toEqual([...taken].sort((a, b) => a - b));
    expect(Math.max(...taken)).toBeLessThanOrEqual(LONGEST_WAIT);
    expect(delays.at(-1)).toBeUndefined();
  });

  it('does not slow another address or user down', () => {
    expect(exhausted().begin('b', start)).toBe(0);
  });

  it('forgets with time, and at once after a success', () => {
    const throttle = exhausted();
    expect(throttle.begin('a', start + 2 * FORGET_AFTER)).toBe(0);
    const other = exhausted();
    other.succeeded('a');
    expect(other.begin('a', start)).toBe(0);
  });

  it('remembers a bounded number of pairs, the latest ones', () => {
    const throttle = exhausted();
    for (let index = 0; index < MAX_REMEMBERED - 1; index++) throttle.begin(`other ${index}`, start);
    expect(throttle.begin('a', start)).toBe(FIRST_DELAY);
    for (let index = 0; index < 2 * MAX_REMEMBERED; index++) throttle.begin(`another ${index}`, start);
    expect(throttle.begin('a', start)).toBe(0);
  });
});
