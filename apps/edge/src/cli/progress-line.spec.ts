import { expect, it } from 'vitest';
import { ProgressLine } from './progress-line.js';

function record(output: { isTTY?: boolean; columns?: number }, shows: readonly (readonly [number, string])[]): string {
  let written = '';
  let time = 0;
  const line = new ProgressLine({ ...output, write: (text) => (written += text) }, () => time);
  for (const [at, text] of shows) {
    time = at;
    line.show(text);
  }
  line.clear();
  return written;
}

it('replaces one line on a terminal, no wider than it is, and clears it', () => {
  const shows = [
    [100, 'one'],
    [150, 'two'],
    [200, '123456789012'],
  ] as const;
  expect(record({ isTTY: true, columns: 10 }, shows)).toBe('\rone\x1b[K\r123456789\x1b[K\r\x1b[K');
});

it('writes a line every five seconds elsewhere', () => {
  expect(
    record({}, [
      [4_999, 'one'],
      [5_000, 'two'],
      [9_999, 'three'],
      [10_000, 'four'],
    ]),
  ).toBe('two\nfour\n');
});

it('writes nothing where nothing was shown', () => {
  expect(record({ isTTY: true }, [])).toBe('');
});
