import type { Row } from '../rows.js';
import type { Value } from '../values.js';
import { compareValues } from './compare.js';
import type { Frame } from './frame.js';
import type { SortKey } from './grouping.js';
import type { Held } from './held.js';

export interface OrderKey extends SortKey {
  readonly descending: boolean;
}

/** A row that waits for its turn. */
interface Waiting {
  readonly keys: readonly Value[];
  /** Arrival: rows with equal keys keep their order. */
  readonly sequence: number;
  readonly rows: readonly Row[];
  readonly aggregates: readonly Value[];
}

/** Sorts rows; of more than `limit` rows it keeps the first ones only. */
export class Sorting {
  private readonly waiting: Waiting[] = [];
  private sequence = 0;

  constructor(
    private readonly keys: readonly OrderKey[],
    private readonly limit: number,
    private readonly held: Held,
  ) {}

  /** Takes the row that is in the frame. */
  add(frame: Frame): void {
    const keys = this.keys.map(({ evaluate }) => quickToCompare(evaluate(frame)));
    const sequence = this.sequence++;
    if (this.waiting.length === this.limit) {
      // The root of the heap is the last of those kept.
      if (this.limit === 0 || this.compareKeys(keys, this.waiting[0]!.keys) >= 0) return;
      const dropped = this.waiting[0]!;
      this.held.remove(dropped.keys, ...dropped.rows);
      this.held.add(keys, ...frame.rows);
      this.waiting[0] = { keys, sequence, rows: frame.rows.slice(), aggregates: frame.aggregates };
      this.sink();
      return;
    }
    this.held.add(keys, ...frame.rows);
    this.waiting.push({ keys, sequence, rows: frame.rows.slice(), aggregates: frame.aggregates });
    if (this.waiting.length === this.limit) this.waiting.sort((left, right) => this.compare(right, left));
  }

  /** Puts each row into the frame, in order. */
  *intoFrame(frame: Frame): Generator<void, void, undefined> {
    this.waiting.sort((left, right) => this.compare(left, right));
    for (const { rows, aggregates } of this.waiting) {
      frame.rows = rows.slice();
      frame.aggregates = aggregates;
      yield;
    }
  }

  private sink(): void {
    const { waiting } = this;
    let parent = 0;
    for (;;) {
      let child = 2 * parent + 1;
      if (child >= waiting.length) return;
      if (child + 1 < waiting.length && this.compare(waiting[child + 1]!, waiting[child]!) > 0) child++;
      if (this.compare(waiting[parent]!, waiting[child]!) >= 0) return;
      [waiting[parent], waiting[child]] = [waiting[child]!, waiting[parent]!];
      parent = child;
    }
  }

  private compare(left: Waiting, right: Waiting): number {
    return this.compareKeys(left.keys, right.keys) || left.sequence - right.sequence;
  }

  private compareKeys(left: readonly Value[], right: readonly Value[]): number {
    // By index: this is the inner loop of sorting.
    for (let index = 0; index < this.keys.length; index++) {
      const { descending, order } = this.keys[index]!;
      const difference = compareValues(left[index], right[index], order);
      if (difference !== 0) return descending ? -difference : difference;
    }
    return 0;
  }
}

/** The same place in the order: doubles compare faster than integers, and than one of each. */
function quickToCompare(value: Value): Value {
  if (typeof value !== 'bigint') return value;
  const double = Number(value);
  return Number.isSafeInteger(double) ? double : value;
}
