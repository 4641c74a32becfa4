import type { Access, Slot } from './rows.js';
import type { Expression, OrderTerm, Statement } from './statement.js';
import type { Value } from './values.js';

/** Values of `$name` parameters by name. */
export type Parameters = ReadonlyMap<string, Value>;

/**
 * An expression that reads no source: literals, parameters and functions of them. It has the same value for the whole
 * run, so storage may bind it.
 */
export interface Constant {
  readonly expression: Expression;
  /** @throws EdgeError `query.runtime` */
  value(parameters: Parameters): Value;
}

/**
 * A term of the conjunction that WHERE (and an inner ON) is, as far as it narrows one source. `operand` reads that
 * source alone; compare it with an index expression by {@link sameExpression}.
 *
 * Storage may use any of them to return fewer rows, and none of them needs to: the evaluator checks all of them.
 */
export type Condition =
  /** Not MISSING on either side. The order of values is that of `compareValues`. */
  | {
      readonly type: 'compare';
      readonly operator: '=' | '!=' | '<' | '<=' | '>' | '>=';
      readonly operand: Expression;
      readonly value: Constant;
    }
  /** Equal to one of the values. */
  | { readonly type: 'in'; readonly operand: Expression; readonly values: readonly Constant[] }
  /** Equal to an item of an array (`x IN $list`). */
  | { readonly type: 'in-array'; readonly operand: Expression; readonly array: Constant }
  /** Case-sensitive. */
  | { readonly type: 'like'; readonly operand: Expression; readonly pattern: Constant }
  | {
      readonly type: 'test';
      readonly test: 'NULL' | 'MISSING' | 'VALUED';
      readonly negated: boolean;
      readonly operand: Expression;
    }
  /**
   * Some item of an array fulfils all `items`, whose operands are `variable` expressions of this `depth`. It comes from
   * ANY, ARRAY_CONTAINS, IN over a property, and from conditions on an UNNEST of the array. The items of an object are
   * its values; any other value but MISSING is an item itself.
   */
  | { readonly type: 'any'; readonly array: Expression; readonly depth: number; readonly items: readonly Condition[] }
  /** All conditions of one alternative hold. */
  | { readonly type: 'or'; readonly alternatives: readonly (readonly Condition[])[] };

/** One equality of an ON clause: `operand` (of this source) = `value` (of earlier sources). */
export interface KeyTerm {
  readonly operand: Expression;
  readonly value: Expression;
}

/** The wishes of the evaluator to storage for one source. Empty for an UNNEST. */
export interface SourceNeeds {
  readonly slots: readonly Slot[];
  readonly conditions: readonly Condition[];
  readonly keys: readonly KeyTerm[];
}

export interface RunOptions {
  /** Most rows held at once for sorting, grouping, DISTINCT and hashing. Default 1,000,000. */
  readonly maxHeldRows?: number;
  /** Most bytes (estimated) of these rows. Default 256 MB. */
  readonly maxHeldBytes?: number;
  /** Called every few hundred rows; stops the run by throwing. */
  readonly check?: () => void;
}

export interface CompiledStatement {
  readonly statement: Statement;
  /** Parallel to the sources of the statement. */
  readonly sources: readonly SourceNeeds[];
  /** Parallel to the matches of the statement: the text to look for. */
  readonly matchTexts: readonly Constant[];
  /** ORDER BY, if an index over the first source may serve it: all terms read that source alone. */
  readonly order?: readonly OrderTerm[];
  /** Whether the result depends on nothing but the number of rows of the first source (`SELECT COUNT(*) FROM c`). */
  readonly countsOnly: boolean;
  /** The statements of EXISTS, in order of appearance. */
  readonly nested: readonly CompiledStatement[];
  /**
   * Rows as JSON objects. A row leaves before the next is read, unless the statement sorts or groups.
   * @throws EdgeError `query.runtime`, `query.limit`, and what `check` or the access throws
   */
  run(access: Access, parameters: Parameters, options?: RunOptions): Generator<string, void, undefined>;
}
