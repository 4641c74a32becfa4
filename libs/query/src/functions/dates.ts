import { cutToInteger, fit } from '../evaluate/numbers.js';
import type { Value } from '../values.js';
import { type DateStyle, dateStyle, FULL_STYLE, writeDate } from './date-format.js';
import { civilDate, DAY, daysOf, type Instant, readDate } from './date-text.js';
import type { ScalarFunction } from './strict.js';

/** The months in the parts of the calendar, and the milliseconds in those of the clock. */
const MONTHS: Readonly<Record<string, number>> = {
  month: 1,
  quarter: 3,
  year: 12,
  decade: 120,
  century: 1200,
  millennium: 12_000,
};
const MILLISECONDS: Readonly<Record<string, bigint>> = {
  millisecond: 1n,
  second: 1000n,
  minute: 60_000n,
  hour: 3_600_000n,
  day: 86_400_000n,
  week: 604_800_000n,
};

/** Beyond these no calendar is computed: about 272,000 years on either side of 1970. */
const MAX_MILLISECONDS = 8.6e15;

function instant(value: Value): Instant | undefined {
  return typeof value === 'string' ? readDate(value) : undefined;
}

/** Milliseconds since 1970, fractions cut; undefined for all but numbers and booleans, which are 1 and 0. */
function milliseconds(value: Value): number | undefined {
  if (typeof value !== 'bigint' && typeof value !== 'number' && typeof value !== 'boolean') return undefined;
  const whole = Math.trunc(Number(value));
  return Math.abs(whole) <= MAX_MILLISECONDS ? whole : undefined;
}

const styleOf = (format: Value): DateStyle => (typeof format === 'string' ? dateStyle(format) : FULL_STYLE);

const text = (ms: number | undefined, zone: Value, format: Value): string | null => {
  const minutes = milliseconds(zone);
  if (ms === undefined || minutes === undefined || Math.abs(minutes) > MAX_ZONE) return null;
  return writeDate({ ms, zone: minutes }, styleOf(format));
};

/** Minutes: no zone is further from UTC than a day. */
const MAX_ZONE = 24 * 60;

/** Calls with two dates and a part; null if any is not one, MISSING if any is MISSING. */
const withDates =
  (read: (value: Value) => Instant | undefined, call: (left: Instant, right: Instant, part: string) => Value) =>
  (...values: Value[]): Value => {
    if (values.includes(undefined)) return undefined;
    const left = read(values[0]);
    const right = read(values[1]);
    const part = values[2];
    return left && right && typeof part === 'string' ? call(left, right, part.toLowerCase()) : null;
  };

const utc = (value: Value): Instant | undefined => {
  const ms = milliseconds(value);
  return ms === undefined ? undefined : { ms, zone: 0 };
};

/**
 * The difference of the fields of two dates, not of elapsed units: a year lies between 31 December and 1 January. Both
 * are read in the zone of the first.
 */
function difference(left: Instant, right: Instant, part: string): Value {
  const a = civilDate(left.ms + left.zone * 60_000);
  const b = civilDate(right.ms + left.zone * 60_000);
  const days = a.day - b.day;
  const years = a.year - b.year;
  const hours = days * 24 + a.hour - b.hour;
  const minutes = hours * 60 + a.minute - b.minute;
  const seconds = minutes * 60 + a.second - b.second;
  const byPart: Readonly<Record<string, number>> = {
    millisecond: seconds * 1000 + a.millisecond - b.millisecond,
    second: seconds,
    minute: minutes,
    hour: hours,
    day: days,
    week: days / 7,
    month: years * 12 + a.month - b.month,
    quarter: years * 4 + Math.floor(a.month / 3) - Math.floor(b.month / 3),
    year: years,
    decade: years / 10,
    century: years / 100,
    millennium: years / 1000,
  };
  const result = byPart[part];
  return result === undefined ? null : BigInt(Math.trunc(result));
}

/** Clock parts, days and weeks add fixed time; larger ones change the month and let the day overflow into the next. */
function add(date: Instant, count: bigint, part: string): bigint | undefined {
  const unit = MILLISECONDS[part];
  if (unit !== undefined) return BigInt(date.ms) + count * unit;
  const months = MONTHS[part];
  if (months === undefined) return undefined;
  const local = date.ms + date.zone * 60_000;
  const { year, month, dayOfMonth, day } = civilDate(local);
  const target = year * 12 + month + Number(count) * months;
  if (Math.abs(target) > MAX_MONTHS) return undefined;
  const moved = daysOf(Math.floor(target / 12), ((target % 12) + 12) % 12, dayOfMonth);
  return BigInt(date.ms + (moved - day) * DAY);
}

const MAX_MONTHS = 12 * 270_000;

const addTo =
  (
    read: (value: Value) => Instant | undefined,
    write: (ms: bigint, date: Instant, format: Value) => Value,
  ): ScalarFunction =>
  (value, count, part, format = null) => {
    if (value === undefined || count === undefined || part === undefined) return undefined;
    const date = read(value);
    const isCount = typeof count === 'bigint' || typeof count === 'number';
    if (!date || !isCount || typeof part !== 'string') return null;
    const ms = add(date, cutToInteger(count), part.toLowerCase());
    return ms === undefined ? null : write(ms, date, format);
  };

export const DATE_FUNCTIONS = {
  STR_TO_MILLIS: (value) => {
    const date = instant(value);
    return date ? BigInt(date.ms) : null;
  },
  STR_TO_UTC: (value, format) => text(instant(value)?.ms, 0n, format),
  STR_TO_TZ: (value, zone, format) => text(instant(value)?.ms, zone, format),
  // Queries run in UTC: it is the local zone.
  MILLIS_TO_STR: (value, format) => text(milliseconds(value), 0n, format),
  MILLIS_TO_UTC: (value, format) => text(milliseconds(value), 0n, format),
  MILLIS_TO_TZ: (value, zone, format) => text(milliseconds(value), zone, format),
  DATE_DIFF_STR: withDates(instant, difference),
  DATE_DIFF_MILLIS: withDates(utc, difference),
  DATE_ADD_STR: addTo(instant, (ms, { zone }, format) => text(milliseconds(ms), BigInt(zone), format)),
  DATE_ADD_MILLIS: addTo(utc, (ms) => fit(ms)),
} satisfies Record<string, ScalarFunction>;
