import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { nanoseconds, SOFTWARE_EPOCH } from './hybrid-clock.js';
import { KnownTime, MOST_BEHIND_NANOSECONDS } from './known-time.js';

/** The true time. */
const TRUTH = 1_795_390_925_000;
const MINUTE = 60_000;
const DAY = 24 * 60 * MINUTE;

const hex = (milliseconds: number): string => nanoseconds(milliseconds).toString(16);
const inMilliseconds = (time: bigint): number => Number(time / 1_000_000n);
const at = (wallMs: number, uptimeMs = 0) => ({ wallMs, uptimeMs });

describe('the known time', () => {
  it('C1: of a clock that nothing speaks against is the clock: two minutes ahead of it are taken', () => {
    expect(inMilliseconds(new KnownTime().horizon(at(TRUTH)))).toBe(TRUTH + 2 * MINUTE);
  });

  it.each([
    ['this software', 0, () => new KnownTime(), SOFTWARE_EPOCH],
    [
      'our own latest version',
      TRUTH - 400 * DAY,
      () => {
        const time = new KnownTime();
        time.atLeast(hex(TRUTH - 30 * DAY));
        return time;
      },
      nanoseconds(TRUTH - 30 * DAY),
    ],
  ])('C2: of a clock that is before %s is unknown: ten years are taken', (_, wall, make, floor) => {
    const horizon = make().horizon(at(wall));
    expect(horizon).toBe(floor + MOST_BEHIND_NANOSECONDS);
    expect(horizon).toBeGreaterThan(nanoseconds(TRUTH));
  });

  it('C2: a step back of seconds is no reason for that', () => {
    const time = new KnownTime();
    time.atLeast(hex(TRUTH + 30_000));
    expect(inMilliseconds(time.horizon(at(TRUTH)))).toBe(TRUTH + 2 * MINUTE);
  });

  it('C3: one witness is not trusted, two that agree are, up to what both claim', () => {
    const time = new KnownTime();
    const behind = TRUTH - 20 * DAY;
    time.observe('user anna', hex(TRUTH), at(behind));
    time.observe('user anna', hex(TRUTH + MINUTE), at(behind));
    expect(inMilliseconds(time.horizon(at(behind)))).toBe(behind + 2 * MINUTE);
    time.observe('user bert', hex(TRUTH - 5 * MINUTE), at(behind));
    expect(inMilliseconds(time.horizon(at(behind)))).toBe(TRUTH - 3 * MINUTE);
  });

  it('C3: what was claimed runs on, also while the clock is set', () => {
    const time = new KnownTime();
    const behind = TRUTH - 20 * DAY;
    time.observe('a', hex(TRUTH), at(behind, 0));
    time.observe('b', hex(TRUTH), at(behind, 0));
    expect(inMilliseconds(time.horizon(at(behind + 60 * MINUTE, 60 * MINUTE)))).toBe(TRUTH + 62 * MINUTE);
    expect(inMilliseconds(time.horizon(at(TRUTH + 60 * MINUTE, 60 * MINUTE)))).toBe(TRUTH + 62 * MINUTE);
  });

  it('C3: a witness counts for a day', () => {
    const time = new KnownTime();
    time.observe('a', hex(TRUTH + DAY), at(TRUTH, 0));
    time.observe('b', hex(TRUTH + DAY), at(TRUTH, 0));
    const later = at(TRUTH + DAY + 1, DAY + 1);
    expect(inMilliseconds(time.horizon(later))).toBe(later.wallMs + 2 * MINUTE);
  });

  it('C4: fewer than half of the witnesses cannot move it beyond what an honest one claims, whatever they claim', () => {
    const claim = fc.integer({ min: -400 * DAY, max: 40_000 * DAY });
    const scenario = fc.record({
      honest: fc.array(fc.integer({ min: 0, max: 10 * DAY }), { minLength: 1, maxLength: 20 }),
      lies: fc.array(claim, { maxLength: 40 }),
      behind: fc.integer({ min: 0, max: 300 * DAY }),
    });
    fc.assert(
      fc.property(scenario, ({ honest, lies, behind }) => {
        const time = new KnownTime();
        const now = at(TRUTH - behind);
        for (const [index, age] of honest.entries()) time.observe(`honest ${index}`, hex(TRUTH - age), now);
        for (const [index, lie] of lies.entries()) time.observe(`liar ${index % honest.length}`, hex(TRUTH + lie), now);
        const isMinority = Math.min(lies.length, honest.length) < honest.length;
        if (isMinority) expect(inMilliseconds(time.horizon(now))).toBeLessThanOrEqual(TRUTH + 2 * MINUTE);
      }),
    );
  });

  it('C4: what is more than ten years ahead is no claim, and witnesses are bounded', () => {
    const time = new KnownTime(3);
    for (const name of ['a', 'b']) time.observe(name, hex(TRUTH + 4_000 * DAY), at(TRUTH));
    expect(inMilliseconds(time.horizon(at(TRUTH)))).toBe(TRUTH + 2 * MINUTE);
    for (const name of ['a', 'b']) time.observe(name, hex(TRUTH + DAY), at(TRUTH));
    expect(inMilliseconds(time.horizon(at(TRUTH)))).toBe(TRUTH + DAY + 2 * MINUTE);
    for (const name of ['c', 'd', 'e']) time.observe(name, hex(TRUTH), at(TRUTH));
    expect(inMilliseconds(time.horizon(at(TRUTH)))).toBe(TRUTH + 2 * MINUTE);
  });
});
