import QuickLRU from 'quick-lru';
import { checkTextLength, joinText } from '../evaluate/numbers.js';
import { Pattern, type TextMatch } from '../regex/pattern.js';
import type { Value } from '../values.js';
import { type ScalarFunction, strict } from './strict.js';
import { codePoints } from './text.js';

const MAX_PATTERNS = 200;
const patterns = new QuickLRU<string, Pattern>({ maxSize: MAX_PATTERNS });

/** Patterns are mostly literals: each is compiled once, and the oldest gives way. */
function patternOf(source: string): Pattern {
  let pattern = patterns.get(source);
  if (!pattern) {
    pattern = new Pattern(source);
    patterns.set(source, pattern);
  }
  return pattern;
}

/** Null unless both are text. */
const withPattern = (call: (text: string, pattern: Pattern) => Value): ScalarFunction =>
  strict((text, source) =>
    typeof text === 'string' && typeof source === 'string' ? call(text, patternOf(source)) : null,
  );

const contains = withPattern((text, pattern) => pattern.test(text));

/** Replaces all matches, or the first `count`. */
function replace(text: string, pattern: Pattern, replacement: string, count: number): string {
  let result = '';
  let copied = 0;
  let from = 0;
  for (let done = 0; done < count && from <= text.length; done++) {
    const match = pattern.exec(text, from);
    if (!match) break;
    result = joinText(result, joinText(text.slice(copied, match.start), expand(replacement, match, text)));
    copied = match.end;
    // Behind an empty match the search goes on one character further.
    from = match.end > match.start ? match.end : match.end + (text.codePointAt(match.end)! > 0xffff ? 2 : 1);
  }
  return joinText(result, text.slice(copied));
}

/** `$1`, `$<name>`, `$&`, `` $` ``, `$'` and `$$` in a replacement. */
function expand(replacement: string, { start, end, groups, named }: TextMatch, text: string): string {
  let length = replacement.length;
  return replacement.replace(/\$(?:\$|&|`|'|(\d\d?)|<([^>]*)>)/g, (whole, digits?: string, name?: string) => {
    const part = expansion(whole, digits, name);
    length += part.length;
    checkTextLength(length);
    return part;
  });

  function expansion(whole: string, digits: string | undefined, name: string | undefined): string {
    if (name !== undefined) return Object.keys(named).length > 0 ? (named[name] ?? '') : whole;
    if (digits !== undefined) return group(groups, digits) ?? whole;
    switch (whole) {
      case '$$':
        return '$';
      case '$&':
        return text.slice(start, end);
      case '$`':
        return text.slice(0, start);
      default:
        return text.slice(end);
    }
  }
}

/** Two digits where there is such a group, else the first digit and the second as text. */
function group(groups: TextMatch['groups'], digits: string): string | undefined {
  const number = Number(digits);
  if (number > 0 && number < groups.length) return groups[number] ?? '';
  const first = Number(digits[0]);
  if (digits.length === 2 && first > 0 && first < groups.length) return (groups[first] ?? '') + digits[1];
  return undefined;
}

export const REGULAR_EXPRESSION_FUNCTIONS = {
  REGEXP_CONTAINS: contains,
  REGEXP_LIKE: contains,
  /** In code points. */
  REGEXP_POSITION: withPattern((text, pattern) => {
    const match = pattern.exec(text);
    return match ? BigInt(codePoints(text.slice(0, match.start))) : -1n;
  }),
  REGEXP_REPLACE: strict((text, source, replacement, count?: Value) => {
    if (typeof text !== 'string' || typeof source !== 'string' || typeof replacement !== 'string') return null;
    if (count !== undefined && typeof count !== 'bigint' && typeof count !== 'number') return null;
    const limit = count === undefined || count < 0 ? Infinity : Math.trunc(Number(count));
    return replace(text, patternOf(source), replacement, limit);
  }),
} satisfies Record<string, ScalarFunction>;
