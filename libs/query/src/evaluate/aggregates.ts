import type { Expression } from '../statement.js';
import { ArrayValue, type PresentValue, type Value } from '../values.js';
import { compareValues } from './compare.js';
import { fit, leadingNumber, wholeNumber } from './numbers.js';

export type AggregateName = Extract<Expression, { type: 'aggregate' }>['name'];

/** The state of an aggregate for one group. */
export interface Accumulator {
  /** @returns whether this value is the extreme so far, for MIN and MAX */
  add(value: Value): boolean;
  result(): Value;
}

export function accumulator(name: AggregateName, countsRows: boolean): Accumulator {
  switch (name) {
    case 'COUNT':
      return new Count(countsRows);
    case 'SUM':
      return new Sum();
    case 'AVG':
      return new Average();
    case 'MIN':
      return new Extreme(-1);
    case 'MAX':
      return new Extreme(1);
    case 'ARRAY_AGG':
      return new Collect();
  }
}

/** Rows, or values that are not MISSING: null counts. */
class Count implements Accumulator {
  private count = 0;

  constructor(private readonly countsRows: boolean) {}

  add(value: Value): boolean {
    if (this.countsRows || value !== undefined) this.count++;
    return false;
  }

  result(): Value {
    return BigInt(this.count);
  }
}

/**
 * An integer while all values are integers, booleans or text that spells one; else a double, to which null and other
 * values add 0. Beyond 64 bits it becomes a double. MISSING without values.
 */
class Sum implements Accumulator {
  protected count = 0;
  /** Integers: exact in a double as long as they are small, then in `large`. */
  private small = 0;
  private large = 0n;
  private doubles = 0;
  /** The part of `doubles` lost by rounding. */
  private lost = 0;
  private isDouble = false;

  add(value: Value): boolean {
    if (value === undefined) return false;
    this.count++;
    const number = summand(value);
    if (typeof number === 'bigint') this.addInteger(number);
    else {
      this.isDouble = true;
      this.addDouble(number);
    }
    return false;
  }

  private addInteger(integer: bigint): void {
    const double = Number(integer);
    const sum = this.small + double;
    if (Number.isSafeInteger(double) && Number.isSafeInteger(sum)) this.small = sum;
    else this.large += integer;
  }

  private addDouble(double: number): void {
    const sum = this.doubles + double;
    const lost = Math.abs(this.doubles) >= Math.abs(double) ? this.doubles - sum + double : double - sum + this.doubles;
    if (Number.isFinite(lost)) this.lost += lost;
    this.doubles = sum;
  }

  result(): Value {
    if (this.count === 0) return undefined;
    const integers = this.large + BigInt(this.small);
    return this.isDouble ? finiteOrNull(Number(integers) + this.doubles + this.lost) : fit(integers);
  }
}

class Average extends Sum {
  override result(): Value {
    const sum = super.result();
    return sum == null ? sum : Number(sum) / this.count;
  }
}

function summand(value: PresentValue): bigint | number {
  switch (typeof value) {
    case 'bigint':
    case 'number':
      return value;
    case 'boolean':
      return value ? 1n : 0n;
    case 'string':
      return wholeNumber(value) ?? Number(leadingNumber(value));
    default:
      return 0;
  }
}

function finiteOrNull(value: number): number | null {
  return Number.isNaN(value) ? null : value;
}

/**
 * The first of the smallest or largest values by the order of all values; MISSING takes no part. As in the engine, a
 * boolean comes out as the number it is compared by.
 */
class Extreme implements Accumulator {
  private best: Value = undefined;

  constructor(private readonly sign: 1 | -1) {}

  add(value: Value): boolean {
    if (value === undefined) return false;
    if (this.best !== undefined && compareValues(value, this.best) * this.sign <= 0) return false;
    this.best = value;
    return true;
  }

  result(): Value {
    return typeof this.best === 'boolean' ? BigInt(this.best) : this.best;
  }
}

/** All values that are not MISSING. */
class Collect implements Accumulator {
  private readonly items: PresentValue[] = [];

  add(value: Value): boolean {
    if (value !== undefined) this.items.push(value);
    return false;
  }

  result(): Value {
    return ArrayValue.of(this.items);
  }
}
