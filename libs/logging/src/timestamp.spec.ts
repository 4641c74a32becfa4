import { describe, expect, it, vi } from 'vitest';
import { formatTimestamp, preciseClock } from './timestamp.js';

describe('timestamps', () => {
  it.each([
    [0, '1970-01-01T00:00:00.000000Z'],
    [1_785_587_696_123.456, '2026-08-01T12:34:56.123456Z'],
    [1_785_587_696_999.999, '2026-08-01T12:34:56.999999Z'],
    [1_785_587_697_000, '2026-08-01T12:34:57.000000Z'],
    [1_785_587_696_000.5, '2026-08-01T12:34:56.000500Z'],
  ])('%d is %s', (milliseconds, text) => expect(formatTimestamp(milliseconds)).toBe(text));

  it('follow the system clock when it is set', () => {
    const clock = preciseClock();
    const date = vi.spyOn(Date, 'now').mockReturnValue(42_000);
    expect(clock()).toBe(42_000);
    date.mockRestore();
    expect(Math.abs(clock() - Date.now())).toBeLessThan(1_000);
  });
});
