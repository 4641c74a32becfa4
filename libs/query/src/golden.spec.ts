import { describe, expect, test } from 'vitest';
import { prepare, QueryError } from './index.js';
import { goldenCases, goldenContext, type ErrorKind, type GoldenCase, type Outcome } from './testing/golden.js';

const KINDS: Readonly<Record<string, ErrorKind>> = {
  'query.syntax': 'syntax',
  'query.invalid': 'invalid',
  'query.index-missing': 'noindex',
};

/** Errors that the statement alone shows; others need parameters or rows. */
const STATIC: readonly string[] = Object.values(KINDS);

/** The kind of error of a statement, or undefined if it is good. */
function errorOf({ query, ks }: GoldenCase): ErrorKind | undefined {
  try {
    prepare(query, goldenContext(ks));
    return undefined;
  } catch (error) {
    if (error instanceof QueryError) return KINDS[error.code];
    throw error;
  }
}

/** The answers that are right, as far as the statement alone decides: a kind of error, or undefined. */
function accepted({ expect, sane, edge }: GoldenCase): (ErrorKind | undefined)[] {
  const outcomes: Outcome[] = [edge ?? expect, ...(sane ? [{ rows: sane }] : [])];
  return outcomes.map((outcome) => ('error' in outcome && STATIC.includes(outcome.error) ? outcome.error : undefined));
}

describe('statements that the engine answered', () => {
  test.each(goldenCases().map((golden) => [golden.id, golden] as const))('%s', (_, golden) => {
    const found = errorOf(golden);
    const isExcused = golden.accident !== undefined && !golden.sane && !golden.tolerate && !golden.tolerateIds;
    if (isExcused) return;
    expect(accepted(golden), golden.query).toContain(found);
  });
});
