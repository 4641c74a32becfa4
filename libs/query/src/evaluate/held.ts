import { EdgeError } from '@edgesync/errors';
import type { RunOptions } from '../plan.js';
import type { Row } from '../rows.js';
import type { Value } from '../values.js';

const DEFAULT_MAX_ROWS = 1_000_000;
const DEFAULT_MAX_BYTES = 256 * 1024 * 1024;

/** Counts what a run keeps in memory for sorting, grouping, DISTINCT and joins. */
export class Held {
  private rows = 0;
  private bytes = 0;
  private readonly maxRows: number;
  private readonly maxBytes: number;

  constructor({ maxHeldRows = DEFAULT_MAX_ROWS, maxHeldBytes = DEFAULT_MAX_BYTES }: RunOptions) {
    this.maxRows = maxHeldRows;
    this.maxBytes = maxHeldBytes;
  }

  /**
   * One more row, with the values it keeps.
   * @throws EdgeError `query.limit`
   */
  add(...values: readonly Row[]): void {
    if (++this.rows > this.maxRows)
      throw new EdgeError('query.limit', `the statement holds more than ${this.maxRows} rows to sort, group or join`);
    for (const row of values) for (const value of row) this.addValue(value);
  }

  addValue(value: Value): void {
    this.bytes += sizeOf(value);
    if (this.bytes > this.maxBytes)
      throw new EdgeError('query.limit', `the statement holds more than ${this.maxBytes} bytes to sort, group or join`);
  }

  /** A row that is no longer kept. */
  remove(...values: readonly Row[]): void {
    this.rows--;
    for (const row of values) for (const value of row) this.bytes -= sizeOf(value);
  }
}

const SCALAR_BYTES = 16;

/** About what a value takes. Containers that were never read are text. */
function sizeOf(value: Value): number {
  if (typeof value === 'string') return SCALAR_BYTES + value.length;
  return typeof value === 'object' && value !== null ? 4 * SCALAR_BYTES + value.json.length : SCALAR_BYTES;
}
