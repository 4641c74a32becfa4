import type { CollectionName } from '@edgesync/document';
import type { QueryPlan } from '@edgesync/ports';
import type { Access, CompiledStatement, Row, Source, SourceNeeds, Value } from '@edgesync/query';
import { scanDocuments } from './document-scan.js';
import { NOTHING, scanTerms, type SqlTerm } from './scan-terms.js';
import { readSlots } from './slots.js';
import type { StatementRun } from './statement-run.js';

type Collections = readonly (CollectionName & { readonly id: number })[];
type CollectionSource = Extract<Source, { type: 'collection' }>;

/** An access that can describe itself. */
export interface PlannedAccess extends Access {
  describe(): QueryPlan;
}

/** Decides how the documents of each source are found. */
export function planAccess(statement: CompiledStatement, run: StatementRun, collections: Collections): PlannedAccess {
  const readers = statement.statement.sources.map((source, index) =>
    source.type === 'collection'
      ? planSource(source, statement.sources[index]!, run, idOf(source.collection, collections))
      : undefined,
  );
  const nested = statement.nested.map((inner) => planAccess(inner, run, collections));
  return {
    rows: (source, keys) => readers[source]!.rows(keys),
    seeks: (source) => readers[source]?.seeks ?? false,
    ordered: false,
    nested: (index) => nested[index]!,
    describe: () => ({
      plan: [
        ...readers.flatMap((reader) => (reader ? [reader.description] : [])),
        ...nested.flatMap((access) => access.describe().plan),
      ],
      hints: [],
    }),
  };
}

/** How the documents of one source are found. */
interface SourceReader {
  readonly description: string;
  readonly seeks: boolean;
  rows(keys?: readonly Value[]): Iterable<Row>;
}

function planSource(source: CollectionSource, needs: SourceNeeds, run: StatementRun, collection: number): SourceReader {
  const slots = readSlots(needs.slots);
  const visible = visibleTerm(source.withDeleted, run.nowSeconds);
  const terms = scanTerms(needs.conditions, run.parameters);
  const { scope, collection: name } = source.collection;
  const place = `${scope}.${name}${source.alias === name ? '' : ` (${source.alias})`}`;
  if (terms === NOTHING)
    return { description: `${place}: no document can fulfil the conditions`, seeks: false, rows: () => [] };
  return {
    description: `${place}: full scan${terms.length > 0 ? ', filtered while reading' : ''}`,
    seeks: false,
    rows: () => scanDocuments(run, collection, visible, terms, slots),
  };
}

/** Documents that a statement sees. */
function visibleTerm(withDeleted: boolean, nowSeconds: number): SqlTerm {
  const unexpired = '(d.expires_at IS NULL OR d.expires_at > ?)';
  return { sql: withDeleted ? unexpired : `(d.flags & 1) = 0 AND ${unexpired}`, values: [nowSeconds] };
}

function idOf({ scope, collection }: CollectionName, collections: Collections): number {
  return collections.find((known) => known.scope === scope && known.collection === collection)!.id;
}
