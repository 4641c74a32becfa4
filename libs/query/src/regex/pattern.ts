import { EdgeError } from '@edgesync/errors';
import { type AST, RegExpParser, visitRegExpAST } from '@eslint-community/regexpp';
import { compileProgram, type Program } from './program.js';
import { search } from './search.js';

/** Where a pattern matched. Group 0 is the whole match. */
export interface TextMatch {
  readonly start: number;
  readonly end: number;
  readonly groups: readonly (string | undefined)[];
  readonly named: Readonly<Record<string, string | undefined>>;
}

const MAX_PATTERN_LENGTH = 5000;

/**
 * An ECMAScript regular expression over code points. The platform's own engine runs it while the work is certain to be
 * little for a text of that length; otherwise the counting engine of this folder does.
 */
export class Pattern {
  private readonly native: RegExp;
  private readonly cost: Cost;
  private readonly names: ReadonlyMap<string, number>;
  private program: Program | undefined;

  /** @throws EdgeError `query.runtime` if it is malformed or too long */
  constructor(private readonly source: string) {
    if (source.length > MAX_PATTERN_LENGTH)
      throw new EdgeError('query.runtime', `a regular expression has at most ${MAX_PATTERN_LENGTH} characters`);
    const { pattern, unicode } = parse(source);
    this.native = new RegExp(source, unicode ? 'gu' : 'g');
    this.cost = costOf(pattern);
    this.names = namesOf(pattern);
  }

  /** The first match at or behind an offset. */
  exec(text: string, from = 0): TextMatch | undefined {
    return this.isCheap(text.length) ? this.execNative(text, from) : this.execCounted(text, from);
  }

  test(text: string): boolean {
    if (!this.isCheap(text.length)) return this.execCounted(text, 0) !== undefined;
    this.native.lastIndex = 0;
    return this.native.test(text);
  }

  private isCheap(length: number): boolean {
    const { factor, power } = this.cost;
    return factor * (length + 1) ** (power + 1) <= CHEAP_STEPS;
  }

  private execNative(text: string, from: number): TextMatch | undefined {
    this.native.lastIndex = from;
    const match = this.native.exec(text);
    if (!match) return undefined;
    return { start: match.index, end: match.index + match[0].length, groups: [...match], named: match.groups ?? {} };
  }

  private execCounted(text: string, from: number): TextMatch | undefined {
    this.program ??= this.compile();
    const captures = search(this.program, text, from);
    if (!captures) return undefined;
    const groups: (string | undefined)[] = [];
    for (let slot = 0; slot < captures.length; slot += 2)
      groups.push(captures[slot + 1]! < 0 ? undefined : text.slice(captures[slot], captures[slot + 1]));
    const named = Object.fromEntries(Array.from(this.names, ([name, group]) => [name, groups[group]]));
    return { start: captures[0]!, end: captures[1]!, groups, named };
  }

  private compile(): Program {
    const { pattern, unicode } = parse(this.source);
    const program = compileProgram(pattern, unicode);
    if (!program)
      throw new EdgeError('query.runtime', 'the regular expression is too costly for a text of this length');
    return program;
  }
}

/** With full Unicode; patterns that only the older, lenient grammar takes are read by that. */
function parse(source: string): { pattern: AST.Pattern; unicode: boolean } {
  const parser = new RegExpParser({ ecmaVersion: 2024 });
  for (const unicode of [true, false]) {
    try {
      return { pattern: parser.parsePattern(source, 0, source.length, { unicode }), unicode };
    } catch (error) {
      if (!unicode) throw new EdgeError('query.runtime', (error as Error).message, { cause: error });
    }
  }
  throw new Error('unreachable');
}

function namesOf(pattern: AST.Pattern): ReadonlyMap<string, number> {
  const names = new Map<string, number>();
  let index = 0;
  visitRegExpAST(pattern, {
    onCapturingGroupEnter: ({ name }) => {
      index++;
      if (name !== null) names.set(name, index);
    },
  });
  return names;
}

/** Steps that the platform's engine may be left alone with. */
const CHEAP_STEPS = 5_000_000;

/** At most factor · length^power steps from one start; `factor` is infinite where no such bound is known. */
interface Cost {
  readonly factor: number;
  readonly power: number;
}

/** A repeat that leaves at least this much open counts as one over the whole text. */
const LONG_REPEAT = 16;

/** Bounds the work of a backtracking engine: a repeat of something that can match in two ways has no useful bound. */
function costOf(pattern: AST.Pattern): Cost {
  let factor = 1;
  let power = 0;
  visitRegExpAST(pattern, {
    onQuantifierEnter: ({ element, min, max }) => {
      if (max > 1 && !isDefinite(element)) factor = Infinity;
      if (max - min >= LONG_REPEAT) power++;
      else factor *= max - min + 1;
      factor *= Math.max(1, min);
    },
    onAlternativeEnter: ({ parent }) => {
      if (parent.alternatives.length > 1) factor *= 1 + 1 / parent.alternatives.length;
    },
    onBackreferenceEnter: () => void power++,
  });
  return { factor, power };
}

/** Whether an element matches in one way only at any place, if at all. */
function isDefinite(element: AST.Element): boolean {
  let definite = true;
  visitRegExpAST(element, {
    onQuantifierEnter: ({ min, max }) => {
      if (min !== max) definite = false;
    },
    onAlternativeEnter: ({ parent }) => {
      if (parent.alternatives.length > 1) definite = false;
    },
    onBackreferenceEnter: () => {
      definite = false;
    },
  });
  return definite;
}
