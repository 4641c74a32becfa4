import fc from 'fast-check';
import { describe, expect, it, test } from 'vitest';
import { EARLIEST_TIME, HybridClock, LATEST_TIME, SOFTWARE_EPOCH, timeFault, vectorTimeFault } from './hybrid-clock.js';
import { legacyVersionOf } from './version.js';

const NOW = 1_795_390_925_000_000_000n;

describe('the hybrid clock', () => {
  it('V5: times increase strictly whatever the wall clock does, also across restarts', () => {
    const walls = fc.array(fc.bigInt({ min: NOW - 10n ** 12n, max: NOW + 10n ** 12n }), {
      minLength: 1,
      maxLength: 50,
    });
    fc.assert(
      fc.property(walls, fc.nat(50), (readings, restartAt) => {
        let clock = new HybridClock();
        let previous = 0n;
        for (const [index, wall] of readings.entries()) {
          if (index === restartAt) clock = new HybridClock(clock.last);
          const time = BigInt(`0x${clock.next(wall)}`);
          expect(time).toBeGreaterThan(previous);
          expect(time).toBeGreaterThanOrEqual(wall & ~0xffffn);
          previous = time;
        }
      }),
    );
  });

  it('V5: a first time in a tick has a zero counter, the next counts', () => {
    const clock = new HybridClock();
    expect(clock.next(NOW).endsWith('0000')).toBe(true);
    expect(clock.next(NOW + 1n).endsWith('0001')).toBe(true);
    expect(clock.nextAt(Number(NOW / 1_000_000n) + 1).endsWith('0000')).toBe(true);
  });

  it('V5: an observed time is never given out again', () => {
    const clock = new HybridClock();
    const seen = (NOW + 5n * 10n ** 9n).toString(16);
    clock.observe(seen);
    expect(BigInt(`0x${clock.next(NOW)}`)).toBe(BigInt(`0x${seen}`) + 1n);
    clock.observe('1');
    expect(BigInt(`0x${clock.last}`)).toBe(BigInt(`0x${seen}`) + 1n);
  });

  it('V5: V6: a wall clock that was never set gives times that clients take', () => {
    const clock = new HybridClock();
    expect(BigInt(`0x${clock.nextAt(0)}`)).toBe(SOFTWARE_EPOCH & ~0xffffn);
    expect(BigInt(`0x${clock.nextAt(86_400_000)}`)).toBe((SOFTWARE_EPOCH & ~0xffffn) + 1n);
    expect(BigInt(`0x${clock.next(NOW)}`)).toBe(NOW & ~0xffffn);
  });

  // docs/protocol/revisions.md#time
  test.each([
    [EARLIEST_TIME - 1n, 'too-early'],
    [EARLIEST_TIME, undefined],
    [NOW, undefined],
    [NOW + 1n, 'ahead'],
    [LATEST_TIME + 1n, 'too-late'],
  ])('V6: time %d is judged %s', (time, fault) => expect(timeFault(time.toString(16), NOW)).toBe(fault));

  // docs/protocol/revisions.md#time
  it('V6: the bad version of a vector is named, legacy versions carry no time', () => {
    const good = `${NOW.toString(16)}@H0J8SAyCSjSjE+PxM4NQrQ`;
    expect(vectorTimeFault(`${good}; ${legacyVersionOf('9000-ab')}, 2-ab`, NOW)).toBeUndefined();
    expect(vectorTimeFault(`${good}, ${good}; 1@czSYLoW3QpyTXM5g18SElQ`, NOW)).toEqual({
      version: '1@czSYLoW3QpyTXM5g18SElQ',
      fault: 'too-early',
    });
  });
});
