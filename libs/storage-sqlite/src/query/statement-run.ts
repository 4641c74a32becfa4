import type { Parameters } from '@edgesync/query';
import type { Snapshot } from './snapshot.js';

/** One run of a statement on its thread. */
export class StatementRun {
  /** Documents or index entries that were looked at. */
  rowsRead = 0;

  constructor(
    readonly snapshot: Snapshot,
    readonly parameters: Parameters,
    readonly nowSeconds: number,
    /** Called every few milliseconds; throws if the statement is to stop. */
    readonly check: () => void,
  ) {}

  examined(rows: number): void {
    this.rowsRead += rows;
    this.check();
  }
}
