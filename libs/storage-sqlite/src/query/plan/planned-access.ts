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
import { choosePath, chooseSeek, FETCH, termsOf, type AccessPath, type PathProblem } from './access-path.js';
import { bindConditions, NOTHING } from './bound-conditions.js';
import { describePath, describeSeek, describeSource, hintFor, type Place } from './description.js';
import { countVisible, liveDocuments } from './document-counts.js';
import { scanDocuments } from './document-scan.js';
import type { ReadyIndexes } from './index-source.js';
import type { KeyRange } from './key-range.js';
import { countEntries, RangeReader } from './range-reader.js';
import { scanTerms, type SqlTerm } from './scan-terms.js';
import { readSlots, type SlotReader } from './slots.js';
import { TextPath } from './text-path.js';
import type { TextMatch } from './text-search.js';

/** Where a database keeps what statements name. */
export interface Places {
  readonly collections: readonly (CollectionName & { readonly id: number })[];
  readonly indexes: ReadyIndexes;
}

export function collectionId({ collections }: Places, { scope, collection }: CollectionName): number {
  return collections.find((known) => known.scope === scope && known.collection === collection)!.id;
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
  private readonly slots: SlotReader;
  private readonly ranges: RangeReader;
  /** Undefined without MATCH. */
  private readonly text: TextPath | undefined;

  constructor(
    private readonly compiled: CompiledStatement,
    private readonly index: number,
    source: CollectionSource,
    private readonly run: StatementRun,
    places: Places,
  ) {
    const { scope, collection } = source.collection;
    this.collection = collectionId(places, source.collection);
    this.place = { collection: `${scope}.${collection}`, alias: source.alias };
    this.visible = visibleTerm(source.withDeleted, run.nowSeconds);
    const matches = this.searches(places.indexes);
    this.slots = readSlots(this.needs.slots, (match, row) => matches.get(match)!.rankOf(row));
    this.text = matches.size > 0 ? new TextPath(run, matches, this.visible, this.slots) : undefined;
    this.ranges = new RangeReader(run, this.visible, this.slots, this.text && new Set(this.text.rows));
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
    const { path, text } = this;
    if (path === NOTHING) return false;
    if (path.type === 'scan' && text) return this.index === 0 && text.serves(this.compiled.order);
    return path.type === 'range' && path.ordered;
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
      case 'scan':
        if (this.text) return this.text.documents(this.ordered ? this.compiled.order : undefined);
        return scanDocuments(this.run, this.collection, this.visible, scanTerms(problem.conditions), this.slots);
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
    const matched = this.text ? [`MATCH on ${this.text.names.join(' and ')}`] : [];
    if (this.seek) return [describeSeek(this.place, this.seek), ...matched].join(', ');
    if (this.text && path !== NOTHING && path.type === 'scan')
      return describeSource(this.place, [...matched, ...(this.ordered ? ['in the order of the result'] : [])]);
    const found = describePath(this.place, path, problem === NOTHING ? [] : problem.conditions, this.index > 0);
    return [found, ...matched].join(', ');
  }

  hint(): string[] {
    const { path, problem } = this;
    if (problem === NOTHING || path === NOTHING || this.seek || this.text || path.type !== 'scan') return [];
    return hintFor(this.place, problem, this.needs.keys);
  }

  private get needs() {
    return this.compiled.sources[this.index]!;
  }

  /** Results of the matches of this source, by their index in the statement. */
  private searches(indexes: ReadyIndexes): ReadonlyMap<number, TextMatch> {
    const { statement, matchTexts } = this.compiled;
    return new Map(
      statement.matches.flatMap(({ source, index }, match): [number, TextMatch][] => {
        if (source !== this.index) return [];
        const text = matchTexts[match]!.value(this.run.parameters);
        return [[match, indexes.text(this.collection, index).search(this.run, text)]];
      }),
    );
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
      documents: this.text ? this.text.rows.length * FETCH : liveDocuments(run, collection),
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
