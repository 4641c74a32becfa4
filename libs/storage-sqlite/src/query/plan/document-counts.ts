import { conjunctsOf, type Expression, type Statement } from '@edgesync/query';
import type { StatementRun } from '../statement-run.js';
import type { AccessPath } from './access-path.js';
import type { BoundCondition } from './bound-conditions.js';
import { countEntries } from './range-reader.js';

/** Live documents of a collection, those that have expired and were not swept included. */
export function liveDocuments({ snapshot }: StatementRun, collection: number): number {
  const [live] = snapshot.prepare('SELECT live FROM collections WHERE id = ?').get(collection) as [number];
  return live;
}

function expiredDocuments({ snapshot, nowSeconds }: StatementRun, collection: number): number {
  const [expired] = snapshot
    .prepare(
      `SELECT count(*) FROM documents INDEXED BY documents_by_expiry
       WHERE expires_at <= ? AND collection = ? AND (flags & 1) = 0`,
    )
    .get(nowSeconds, collection) as [number];
  return expired;
}

/** How many documents a statement over one collection selects, if counters or an index say it exactly. */
export function countVisible(
  run: StatementRun,
  { where, matches, sources }: Statement,
  collection: number,
  path: AccessPath,
  conditions: readonly BoundCondition[],
): number | undefined {
  const [source] = sources;
  if (matches.length > 0 || (source?.type === 'collection' && source.withDeleted)) return undefined;
  if (!where) return liveDocuments(run, collection) - expiredDocuments(run, collection);
  if (path.type !== 'range' || path.range.source.array || path.range.source.withDeleted) return undefined;
  // Terms without conditions, and conditions that the range does not stand for, are for the evaluator.
  const said = conjunctsOf(where).reduce((sum, term) => sum + conditionsOf(term), 0);
  if (said !== conditions.length || conditions.some((condition) => !path.range.exactly.has(condition)))
    return undefined;
  return expiredDocuments(run, collection) === 0 ? countEntries(run, path.range, Number.MAX_SAFE_INTEGER) : undefined;
}

/** How many conditions a term of a WHERE becomes; NaN if that is not certain. */
function conditionsOf(term: Expression): number {
  switch (term.type) {
    case 'binary':
      return term.operator === 'AND' || term.operator === 'OR' || term.operator === '!=' ? NaN : 1;
    case 'between':
      return term.negated ? NaN : 2;
    case 'in':
      return term.negated ? NaN : 1;
    default:
      return NaN;
  }
}
