import type { Row, Slot } from '@edgesync/query';

/** Where an index keeps its entries. Everything here runs in a transaction of the write queue. */
export interface IndexTable {
  /** The parts of a document that decide its entries. */
  readonly slots: readonly Slot[];
  /**
   * Brings the entries of a document up to date.
   * @param before the slots of its live revision until now; @param after those of the one from now on
   * @returns whether the new entries are exact
   * @throws EdgeError `query.runtime` if an expression cannot be computed
   */
  change(row: number, before: Row | undefined, after: Row | undefined): boolean;
  /** How many entries there are. */
  size(): number;
  /** How many entries a document has to have. @returns undefined if not all of them are there */
  verify(row: number, slots: Row): number | undefined;
}
