import type { PathStep } from './ast.js';
import type { MetaMember } from './statement.js';
import type { Value } from './values.js';

/**
 * The part of a document that a statement reads. The evaluator lists the slots of each source; storage supplies rows
 * that hold just these.
 */
export type Slot =
  /** A property; no steps: the whole body. */
  | { readonly type: 'property'; readonly path: readonly PathStep[] }
  | { readonly type: 'meta'; readonly member: MetaMember }
  /** The rank of the document by that one of the statement's matches: a double. */
  | { readonly type: 'rank'; readonly match: number };

/**
 * Values parallel to the slots of a source; the {@link decode}d JSON of properties. Each row is an array of its own,
 * because the evaluator keeps rows that it sorts, groups or hashes.
 */
export type Row = readonly Value[];

/**
 * How the evaluator reads documents. Storage implements it for one run of one statement, with the parameters known.
 *
 * `rows` may return more rows than the conditions allow, because the evaluator checks every condition again, except
 * MATCH, which storage alone decides. It never returns fewer.
 */
export interface Access {
  /**
   * Candidates of a collection source. `keys`: the values that the key terms of its ON clause require, in the
   * order of {@link SourceNeeds.keys}; given only if {@link seeks}, and none of them is MISSING. The evaluator ends the
   * iteration early (`return()`) when it needs no more.
   */
  rows(source: number, keys?: readonly Value[]): Iterable<Row>;
  /** Whether `rows(source, keys)` uses an index. Otherwise the evaluator reads the source once and hashes it. */
  seeks(source: number): boolean;
  /** Whether rows of the first source arrive in the order of {@link CompiledStatement.order}. */
  readonly ordered: boolean;
  /**
   * How many rows `rows(0)` has, if storage can count them without reading them and has applied every condition of
   * that source exactly. Asked only when {@link CompiledStatement.countsOnly}.
   */
  count?(): number | undefined;
  /** The access of an EXISTS, by its index in {@link CompiledStatement.nested}. */
  nested(index: number): Access;
}
