import QuickLRU from 'quick-lru';
import type { Collation } from '../ast.js';
import type { Value } from '../values.js';
import type { ConditionTest } from './expressions.js';
import type { Evaluate } from './frame.js';
import { CollatedLike, likePattern, type MatchText } from './like.js';
import { textOf } from './numbers.js';

/** Patterns that one operator keeps compiled: a literal needs one, a property as pattern more. */
const MAX_PATTERNS = 50;

/** LIKE: numbers and booleans are matched by their text; null, arrays and objects never match. */
export function like(operand: Evaluate, pattern: Evaluate, collation: Collation | undefined): ConditionTest {
  const collated = collation?.unicode ? new CollatedLike(collation) : undefined;
  const compiled = new QuickLRU<string, MatchText>({ maxSize: MAX_PATTERNS });
  let lastPattern: string | undefined;
  let lastMatch: MatchText = () => false;
  const matcher = (text: string): MatchText => {
    let match = compiled.get(text);
    if (!match) {
      match = collated ? collated.compile(text) : likePattern(text);
      compiled.set(text, match);
    }
    return match;
  };
  return (frame) => {
    const value = operand(frame);
    if (value === undefined) return undefined;
    const wanted = pattern(frame);
    if (wanted === undefined) return undefined;
    if (!hasText(value) || !hasText(wanted)) return false;
    const text = textOf(wanted);
    if (text !== lastPattern) {
      lastMatch = matcher(text);
      lastPattern = text;
    }
    return lastMatch(textOf(value));
  };
}

function hasText(value: Value): value is string | number | bigint | boolean {
  return typeof value !== 'object' && value !== undefined;
}
