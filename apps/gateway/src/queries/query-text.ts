import type { QuerySummary } from '@edgesync/ports';
import { SHOWN_STATEMENT } from '../tuning.js';

/** Quoted text and, to be passed over, names in back-ticks, which may hold quotes. */
const QUOTED = /'(?:[^']|'')*'|"(?:[^"]|"")*"|`(?:[^`]|``)*`/g;

/** A statement for the log: on one line, not too long, and without the data that its text literals hold. */
export function shownStatement(statement: string): string {
  const line = statement
    .replace(QUOTED, (quoted) => (quoted.startsWith('`') ? quoted : "'…'"))
    .replace(/\s+/g, ' ')
    .trim();
  return line.length > SHOWN_STATEMENT ? `${line.slice(0, SHOWN_STATEMENT)}…` : line;
}

/** The cost of a statement in words, for the log. */
export function shownSummary({ rows, rowsRead, seconds, plan, hints }: QuerySummary): string {
  const words = [`${rows} rows in ${seconds.toFixed(3)} s, ${rowsRead} read`];
  if (plan.length > 0) words.push(`plan: ${plan.join(', ')}`);
  if (hints.length > 0) words.push(`hint: ${hints.join(', ')}`);
  return words.join('; ');
}
