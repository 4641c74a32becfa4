import type { PathStep } from './ast.js';
import type { MetaMember } from './statement.js';
import type { Value } from './values.js';

/**
 * The part of a document that a statement reads. The evaluator lists the slots of each source; storage supplies rows
 * that hold just these.
 */
export type Slot =
  | { readonly type: 'property'; readonly path: readonly PathStep[] }
  | { readonly type: 'meta'; readonly member?: MetaMember }
  | { readonly type: 'rank'; readonly match: number };

/** Values parallel to the slots of a source. */
export type Row = readonly Value[];

/**
 * How the evaluator reads documents. Storage implements it for one run of one statement.
 *
 * `rows` may return more rows than the conditions allow, because the evaluator checks every condition again, except
 * MATCH, which storage alone decides. It never returns fewer.
 */
export interface Access {
  /**
   * Candidates of a collection source. `keys`: the values that the equality terms of its ON clause require, in the
   * order of those terms.
   */
  rows(source: number, keys?: readonly Value[]): Iterable<Row>;
  /** Whether `rows(source, keys)` uses an index. Otherwise the evaluator reads the source once and hashes it. */
  seeks(source: number): boolean;
  /** Whether rows of the first source arrive in the order of ORDER BY. */
  readonly ordered: boolean;
}
