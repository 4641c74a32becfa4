/** A moment, and the offset from UTC in minutes in which it was written. */
export interface Instant {
  /** Milliseconds since 1970. */
  readonly ms: number;
  readonly zone: number;
}

export const DAY = 86_400_000;

const DATE = /^(\d{4})-(\d{2})-(\d{2})(?:(?:T| +)(\d{2}):(\d{2})(?::(\d{2})(\.\d+)?)?(?: *(Z|[+-]\d{2}:?\d{2}))?)? *$/i;

/**
 * Reads `YYYY-MM-DD`, optionally `T` or blanks and `HH:MM[:SS[.fff]]`, optionally a zone: `Z`, `±HH:MM`, `±HHMM`.
 * Without a zone it is UTC. Finer digits than milliseconds are rounded; hour 24 is the next day.
 */
export function readDate(text: string): Instant | undefined {
  const match = DATE.exec(text);
  if (!match) return undefined;
  const [year, month, day, hour, minute, second] = match.slice(1, 7).map((digits) => Number(digits ?? 0));
  const milliseconds = Math.round(Number(match[7] ?? 0) * 1000);
  const zone = readZone(match[8]);
  if (month! < 1 || month! > 12 || day! < 1 || day! > daysInMonth(year!, month! - 1)) return undefined;
  if (hour! > 24 || minute! > 59 || second! > 59 || zone === undefined) return undefined;
  const local = daysOf(year!, month! - 1, day!) * DAY + ((hour! * 60 + minute!) * 60 + second!) * 1000 + milliseconds;
  return { ms: local - zone * 60_000, zone };
}

/** Minutes; undefined if it is too far from UTC. */
function readZone(text: string | undefined): number | undefined {
  if (text === undefined || /^z$/i.test(text)) return 0;
  const hours = Number(text.slice(1, 3));
  const minutes = Number(text.slice(-2));
  if (hours > 14 || minutes > 59) return undefined;
  return (text.startsWith('-') ? -1 : 1) * (hours * 60 + minutes);
}

function daysInMonth(year: number, month: number): number {
  return daysOf(year, month + 1, 1) - daysOf(year, month, 1);
}

/** Days since 1970 of a date of the Gregorian calendar. Months count from 0; a day may lie beyond its month. */
export function daysOf(year: number, month: number, dayOfMonth: number): number {
  const date = new Date(0);
  date.setUTCFullYear(year, month, dayOfMonth);
  return date.getTime() / DAY;
}

/** The fields of a moment in UTC. `day` counts from 1970, `month` from 0. */
export interface CivilDate {
  readonly day: number;
  readonly year: number;
  readonly month: number;
  readonly dayOfMonth: number;
  readonly hour: number;
  readonly minute: number;
  readonly second: number;
  readonly millisecond: number;
}

export function civilDate(ms: number): CivilDate {
  const date = new Date(ms);
  return {
    day: Math.floor(ms / DAY),
    year: date.getUTCFullYear(),
    month: date.getUTCMonth(),
    dayOfMonth: date.getUTCDate(),
    hour: date.getUTCHours(),
    minute: date.getUTCMinutes(),
    second: date.getUTCSeconds(),
    millisecond: date.getUTCMilliseconds(),
  };
}
