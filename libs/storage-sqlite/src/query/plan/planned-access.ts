import type { CollectionName } from '@edgesync/document';
import type { QueryPlan } from '@edgesync/ports';
import {
  evaluateConstant,
  type Access,
  type CompiledStatement,
  type Row,
  type Source,
  type Value,
} from '@edgesync/query';
import type { StatementRun } from '../statement-run.js';
import { choosePath, chooseSeek, termsOf, type AccessPath, type PathProblem } from './access-path.js';
import { bindConditions, NOTHING } from './bound-conditions.js';
import { describePath, describeSeek, hintFor, type Place } from './description.js';
import { countVisible, liveDocuments } from './document-counts.js';
import { scanDocuments } from './document-scan.js';
import type { ReadyIndexes } from './index-source.js';
import type { KeyRange } from './key-range.js';
import { countEntries, RangeReader } from './range-reader.js';
import { scanTerms, type SqlTerm } from './scan-terms.js';
import { readSlots } from './slots.js';

/** Where a database keeps what statements name. */
export interface Places {
  readonly collections: readonly (CollectionName & { readonly id: number })[];
  readonly indexes: ReadyIndexes;
}

/** An access that can describe itself. */
export interface PlannedAccess extends Access {
  describe(): QueryPlan;
}

type CollectionSource = Extract<Source, { type: 'collection' }>;

/** Decides how the documents of each source are found. */
export function planAccess(compiled: CompiledStatement, run: StatementRun, places: Places): PlannedAccess {
  const { statement } = compiled;
  const readers = statement.sources.map((source, index) =>
    source.type === 'collection' ? new SourceReader(compiled, index, source, run, places) : undefined,
  );
  const nested = compiled.nested.map((inner) => planAccess(inner, run, places));
  const ordered = readers[0]!.ordered;
  return {
    rows: (source, keys) => readers[source]!.rows(keys),
    seeks: (source) => readers[source]?.seek !== undefined,
    ordered,
    count: () => readers[0]!.count(),
    nested: (index) => nested[index]!,
    describe: () => {
      const inner = nested.map((access) => access.describe());
      const sorts = statement.orderBy.length > 0 && !(ordered && compiled.order);
      return {
        plan: [
          ...readers.flatMap((reader) => (reader ? [reader.describe()] : [])),
          ...(statement.groupBy.length > 0 ? ['rows are grouped in memory'] : []),
          ...(sorts ? ['rows are sorted in memory'] : []),
          ...inner.flatMap(({ plan }) => plan.map((step) => `EXISTS: ${step}`)),
        ],
        hints: [...readers.flatMap((reader) => reader?.hint() ?? []), ...inner.flatMap(({ hints }) => hints)],
      };
    },
  };
}

/** How the documents of one source are found. */
class SourceReader {
  readonly seek: KeyRange | undefined;
  private readonly collection: number;
  private readonly place: Place;
  private readonly visible: SqlTerm;
  private readonly problem: PathProblem | typeof NOTHING;
  private readonly path: AccessPath | typeof NOTHING;
  private readonly ranges: RangeReader;

  constructor(
    private readonly compiled: CompiledStatement,
    private readonly index: number,
    source: CollectionSource,
    private readonly run: StatementRun,
    places: Places,
  ) {
    const { scope, collection } = source.collection;
    this.collection = places.collections.find((known) => known.scope === scope && known.collection === collection)!.id;
    this.place = { collection: `${scope}.${collection}`, alias: source.alias };
    this.visible = visibleTerm(source.withDeleted, run.nowSeconds);
    this.ranges = new RangeReader(run, this.visible, readSlots(this.needs.slots));
    this.problem = this.problemOf(source, places.indexes);
    this.seek =
      this.problem !== NOTHING && this.needs.keys.length > 0
        ? chooseSeek(
            this.problem,
            this.needs.keys.map(({ operand }) => operand),
          )
        : undefined;
    this.path = this.problem === NOTHING ? NOTHING : this.seek ? { type: 'scan' } : choosePath(this.problem);
  }

  get ordered(): boolean {
    return this.path !== NOTHING && this.path.type === 'range' && this.path.ordered;
  }

  rows(keys?: readonly Value[]): Iterable<Row> {
    const { path, problem } = this;
    if (path === NOTHING || problem === NOTHING) return [];
    if (keys && this.seek) return this.ranges.rows(this.seek, 'any', keys);
    switch (path.type) {
      case 'range':
        return this.ranges.rows(path.range, path.ordered ? (path.descending ? 'descending' : 'ascending') : 'any');
      case 'union':
        return this.ranges.union(path.ranges);
      case 'scan': {
        const slots = readSlots(this.needs.slots);
        return scanDocuments(this.run, this.collection, this.visible, scanTerms(problem.conditions), slots);
      }
    }
  }

  /** How many rows there are, if that is known without reading them. */
  count(): number | undefined {
    const { path, problem } = this;
    if (path === NOTHING || problem === NOTHING) return 0;
    return countVisible(this.run, this.compiled.statement, this.collection, path, problem.conditions);
  }

  describe(): string {
    const { path, problem } = this;
    if (this.seek) return describeSeek(this.place, this.seek);
    return describePath(this.place, path, problem === NOTHING ? [] : problem.conditions, this.index > 0);
  }

  hint(): string[] {
    const { path, problem } = this;
    if (problem === NOTHING || path === NOTHING || this.seek || path.type !== 'scan') return [];
    return hintFor(this.place, problem, this.needs.keys);
  }

  private get needs() {
    return this.compiled.sources[this.index]!;
  }

  private problemOf(source: CollectionSource, indexes: ReadyIndexes): PathProblem | typeof NOTHING {
    const { statement, order } = this.compiled;
    const { run, collection } = this;
    const conditions = bindConditions(this.needs.conditions, run.parameters);
    if (conditions === NOTHING) return NOTHING;
    const isOuter = source.join === 'left';
    const inner = statement.sources.map((other) =>
      other.type === 'collection' && other.join !== 'left' ? other.on : undefined,
    );
    return {
      indexes: indexes.of(collection),
      conditions,
      terms: termsOf(isOuter ? [source.on] : [statement.where, ...inner], this.index),
      withDeleted: source.withDeleted,
      order: this.index === 0 ? order : undefined,
      wanted: wantedRows(this.compiled, run),
      documents: liveDocuments(run, collection),
      count: (range, limit) => countEntries(run, range, limit),
    };
  }
}

/** LIMIT and OFFSET, if they are known to be numbers. */
function wantedRows({ statement }: CompiledStatement, { parameters }: StatementRun): number {
  const { limit, offset, sources, distinct } = statement;
  if (!limit || sources.length > 1 || distinct) return Infinity;
  const most = evaluateConstant(limit, parameters);
  const skipped = offset ? evaluateConstant(offset, parameters) : 0n;
  return typeof most === 'bigint' && typeof skipped === 'bigint' ? Number(most + skipped) : Infinity;
}

/** Documents that a statement sees. */
function visibleTerm(withDeleted: boolean, nowSeconds: number): SqlTerm {
  const unexpired = '(d.expires_at IS NULL OR d.expires_at > ?)';
  return { sql: withDeleted ? unexpired : `(d.flags & 1) = 0 AND ${unexpired}`, values: [nowSeconds] };
}
