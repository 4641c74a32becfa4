import type { PathStep, Syntax } from '../ast.js';
import type { CollectionName } from '../statement.js';

export interface ScopeSource {
  readonly type: 'collection' | 'unnest';
  /** The key of the whole document (or item) in the result. */
  readonly name: string;
  /** The beginnings of a path that mean this source: the alias, or the ways to write the collection. */
  readonly prefixes: readonly (readonly PathStep[])[];
  readonly collection?: CollectionName;
}

export interface ResultAlias {
  readonly alias: string;
  /** Index of its column. */
  readonly column: number;
  readonly expression: Syntax;
}

/** The names in sight at a place of the statement. */
export interface Environment {
  /** For messages: `WHERE`, `ON` … */
  readonly clause: string;
  readonly aggregates: 'allowed' | 'refused' | 'inside';
  /** How many sources are in sight: ON and UNNEST see no later ones. */
  readonly sources: number;
  /** How many columns may be named by their alias: a column sees those before it. */
  readonly aliases: number;
  /** Quantifier variables from the outermost; a hidden one is `undefined`. */
  readonly variables: readonly (string | undefined)[];
  /** The first variable that an aggregate's argument may name. */
  readonly firstVariable: number;
}

export type Resolved =
  | { readonly type: 'variable'; readonly depth: number; readonly rest: readonly PathStep[] }
  | { readonly type: 'source'; readonly source: number; readonly rest: readonly PathStep[] }
  | { readonly type: 'column'; readonly alias: ResultAlias; readonly rest: readonly PathStep[] }
  | { readonly type: 'refused'; readonly reason: string };

/** Aliases match ignoring case. */
export const sameAlias = (a: string, b: string): boolean => a.toLowerCase() === b.toLowerCase();

/** The names of one SELECT. */
export class Scope {
  readonly sources: ScopeSource[] = [];
  readonly aliases: ResultAlias[] = [];

  /** @param outer the scope around an EXISTS */
  constructor(readonly outer?: Scope) {}

  /** The meaning of a property path. */
  resolve(steps: readonly PathStep[], environment: Environment): Resolved {
    const first = steps[0] as string;
    const depth = environment.variables.findLastIndex((name) => name !== undefined && sameAlias(name, first));
    if (depth >= 0) {
      return depth < environment.firstVariable
        ? { type: 'refused', reason: `an aggregate cannot read "${first}", a variable of a quantifier around it` }
        : { type: 'variable', depth, rest: steps.slice(1) };
    }
    if (environment.sources === 0)
      return { type: 'refused', reason: `${environment.clause} takes an expression without properties` };
    return this.source(steps, environment) ?? this.alias(steps, environment) ?? this.unqualified(steps);
  }

  private source(steps: readonly PathStep[], { sources, clause }: Environment): Resolved | undefined {
    const found = this.findSource(steps, sources);
    if (found) return { type: 'source', source: found.source, rest: steps.slice(found.length) };
    if (this.findSource(steps))
      return { type: 'refused', reason: `"${steps[0]!}" cannot be used in ${clause}: only sources before it can` };
    return undefined;
  }

  private alias(steps: readonly PathStep[], { aliases }: Environment): Resolved | undefined {
    const alias = this.aliases.find((known) => known.column < aliases && sameAlias(known.alias, steps[0] as string));
    return alias && { type: 'column', alias, rest: steps.slice(1) };
  }

  private unqualified(steps: readonly PathStep[]): Resolved {
    const name = steps[0] as string;
    if (this.outer?.knows(name))
      return { type: 'refused', reason: `the SELECT of EXISTS cannot use "${name}" of the statement around it` };
    const collections = this.sources.flatMap(({ type }, source) => (type === 'collection' ? [source] : []));
    return collections.length === 1
      ? { type: 'source', source: collections[0]!, rest: steps }
      : { type: 'refused', reason: `the property "${name}" does not begin with the alias of a source` };
  }

  private knows(name: string): boolean {
    return this.findSource([name]) !== undefined || (this.outer?.knows(name) ?? false);
  }

  /** The one of the first sources whose alias a path begins with; the longest alias wins. */
  findSource(steps: readonly PathStep[], count = Infinity): { source: number; length: number } | undefined {
    let best: { source: number; length: number } | undefined;
    this.sources.slice(0, count).forEach(({ prefixes }, source) => {
      for (const prefix of prefixes)
        if (prefix.length > (best?.length ?? 0) && startsWith(steps, prefix)) best = { source, length: prefix.length };
    });
    return best;
  }
}

function startsWith(steps: readonly PathStep[], prefix: readonly PathStep[]): boolean {
  return (
    prefix.length <= steps.length &&
    prefix.every((step, index) => {
      const other = steps[index]!;
      return typeof step === 'string' && typeof other === 'string' ? sameAlias(step, other) : step === other;
    })
  );
}
