import { describe, expect, test } from 'vitest';
import { answerInMemory, faultOf, goldenDatabase, readGoldenLine } from '../testing/golden-answers.js';
import { type GoldenCase, readLines } from '../testing/golden.js';

/** Cases whose answer is not ours, and why. */
const OTHERWISE: Readonly<Record<string, string>> = {
  'compare-043': 'the engine rounds some float literals to seven digits; 9007199254740992.0 is that number',
  'in-026': 'the engine finds 9 in [9.5]',
};

describe('statements answered as the engine answers them', () => {
  const database = goldenDatabase();

  test.each(readLines('cases.jsonl').map((line) => [(JSON.parse(line) as GoldenCase).id, line] as const))(
    '%s',
    (_, line) => {
      const golden = JSON.parse(line) as GoldenCase;
      if (golden.id in OTHERWISE) return;
      const expected = readGoldenLine(line);
      expect(
        faultOf(golden, expected, answerInMemory(database, golden, expected.params)),
        golden.query,
      ).toBeUndefined();
    },
  );
});
