import { civilDate, type Instant } from './date-text.js';

/** Which parts of a date are written, and how. */
export interface DateStyle {
  readonly date: boolean;
  /** Between date and time. */
  readonly separator: string;
  readonly time: boolean;
  /** Milliseconds, unless they are zero. */
  readonly fraction: boolean;
  /** An offset of zero is `Z` in both forms. */
  readonly zone: 'none' | 'basic' | 'colon';
}

export const FULL_STYLE: DateStyle = { date: true, separator: 'T', time: true, fraction: true, zone: 'basic' };

const EXAMPLE = /^(\d{4}-\d{2}-\d{2})?(?:(T| ?)(\d{2}:\d{2}:\d{2})(\.\d{3})?(Z|[+-]\d{2}:?\d{2})?)?$/;
const PATTERN = /^(%F|%Y-%m-%d)?(?:(T| ?)(%T|%H:%M:%S)(%z|%Ez)?)?$/;

/**
 * The style that a format asks for: an example date, of which only the shape counts (`1111-11-11T11:11:11Z`), or a
 * percent pattern (`%F`, `%FT%T%Ez`). Anything else asks for the full style.
 */
export function dateStyle(format: string): DateStyle {
  const example = format === 'YYYY-MM-DD' ? DATE_ALONE : EXAMPLE.exec(format);
  if (example) return styleOf(example, example[4] !== undefined, example[5]?.includes(':') ? 'colon' : 'basic', 5);
  const pattern = PATTERN.exec(format);
  if (pattern) return styleOf(pattern, pattern[3] === '%T', pattern[4] === '%Ez' ? 'colon' : 'basic', 4);
  return FULL_STYLE;
}

const DATE_ALONE: readonly (string | undefined)[] = ['', 'date'];

function styleOf(
  match: readonly (string | undefined)[],
  fraction: boolean,
  zone: DateStyle['zone'],
  zoneGroup: number,
): DateStyle {
  const [, date, separator = '', time] = match;
  const isWhole = date !== undefined || time !== undefined;
  // Date and time with nothing between them, or a time behind a separator of no date, are no shape.
  if (!isWhole || (time !== undefined && (date !== undefined) !== (separator !== ''))) return FULL_STYLE;
  return {
    date: date !== undefined,
    separator,
    time: time !== undefined,
    fraction,
    zone: match[zoneGroup] === undefined ? 'none' : zone,
  };
}

/** The date in its zone. */
export function writeDate({ ms, zone }: Instant, style: DateStyle): string {
  const { year, month, dayOfMonth, hour, minute, second, millisecond } = civilDate(ms + zone * 60_000);
  let text = '';
  if (style.date) text += `${year < 0 ? '-' : ''}${pad(Math.abs(year), 4)}-${pad(month + 1)}-${pad(dayOfMonth)}`;
  text += style.separator;
  if (style.time) text += `${pad(hour)}:${pad(minute)}:${pad(second)}`;
  if (style.fraction && millisecond !== 0) text += `.${pad(millisecond, 3)}`;
  if (style.zone !== 'none') text += writeZone(zone, style.zone === 'colon' ? ':' : '');
  return text;
}

function writeZone(zone: number, colon: string): string {
  if (zone === 0) return 'Z';
  const minutes = Math.abs(zone);
  return `${zone < 0 ? '-' : '+'}${pad(Math.floor(minutes / 60))}${colon}${pad(minutes % 60)}`;
}

function pad(number: number, length = 2): string {
  return String(number).padStart(length, '0');
}
