import { childrenOf, conjunctsOf, type Expression, type OrderTerm, type PathStep } from '@edgesync/query';
import type { BoundCondition } from './bound-conditions.js';
import { expressionName, type IndexSource } from './index-source.js';
import { isNarrow, JoinKey, keyRange, nameOf, type KeyRange } from './key-range.js';

/** How the documents of a source are found. */
export type AccessPath =
  | { readonly type: 'scan' }
  | {
      readonly type: 'range';
      readonly range: KeyRange;
      /** Whether they come in the order of the statement, and which way the index is read. */
      readonly ordered: boolean;
      readonly descending: boolean;
    }
  /** Each document once. */
  | { readonly type: 'union'; readonly ranges: readonly KeyRange[] };

/** The choice to be made. */
export interface PathProblem {
  readonly indexes: readonly IndexSource[];
  readonly conditions: readonly BoundCondition[];
  /** The terms of WHERE and of inner joins, as they are written. */
  readonly terms: ReadonlySet<string>;
  readonly withDeleted: boolean;
  /** The order of the result, if this source can give it, and how many rows of it are wanted. */
  readonly order?: readonly OrderTerm[] | undefined;
  readonly wanted: number;
  /** Live documents of the collection. */
  readonly documents: number;
  /** Entries in a range, counted up to a limit. */
  count(range: KeyRange, limit: number): number;
}

/** A document found through an index costs about as much as this many in a scan. */
export const FETCH = 2.5;
/** The cost that sorting adds to a document. */
const SORT = 1.5;
/** Ranges that are this small are not compared with each other. */
const FEW = 8;

export function choosePath(problem: PathProblem): AccessPath {
  const usable = usableIndexes(problem);
  const ranges = usable.flatMap((source) => rangesIn(source, problem.conditions));
  // A document has one ID: nothing can be better.
  const byId = ranges.find(({ source, probes }) => source.withDeleted && probes[0]?.length !== 0);
  if (byId) return { type: 'range', range: byId, ordered: false, descending: false };
  const scan: Candidate = {
    path: { type: 'scan' },
    rows: problem.documents,
    cost: problem.documents * (1 + (problem.order ? SORT : 0)),
  };
  const narrow = [...ranges.map((range) => ({ ranges: [range] })), ...unions(usable, problem.conditions)];
  let best = narrow.reduce((found, { ranges: parts }) => cheaper(found, parts, problem), scan);
  for (const candidate of ordered(usable, problem, best.rows)) if (candidate.cost < best.cost) best = candidate;
  return best.path;
}

interface Candidate {
  readonly path: AccessPath;
  readonly rows: number;
  readonly cost: number;
}

/** Counts entries only as far as that can make a difference. */
function cheaper(found: Candidate, ranges: readonly KeyRange[], problem: PathProblem): Candidate {
  const order = ranges.length === 1 ? orderOf(ranges[0]!, problem.order) : undefined;
  const each = FETCH + (problem.order && !order ? SORT : 0);
  let rows = 0;
  for (const range of ranges) {
    const limit = Math.max(FEW + 1, Math.ceil(found.cost / each)) - rows;
    if (limit <= 0) return found;
    rows += problem.count(range, limit);
  }
  const cost = rows * each;
  if (cost >= found.cost && rows > FEW) return found;
  if (found.cost <= FEW * FETCH && found.path.type !== 'scan') return found;
  const [range] = ranges;
  return {
    path:
      ranges.length === 1
        ? { type: 'range', range: range!, ordered: order !== undefined, descending: order === 'descending' }
        : { type: 'union', ranges },
    rows,
    cost,
  };
}

/** Indexes in the order of the statement: few rows have to be read if few are wanted. */
function* ordered(usable: readonly IndexSource[], problem: PathProblem, rows: number): Generator<Candidate> {
  if (!problem.order) return;
  for (const source of usable) {
    if (source.array) continue;
    const range = keyRange(source, problem.conditions);
    const order = orderOf(range, problem.order);
    if (!order) continue;
    // As if the documents that fulfil the conditions were spread evenly.
    const read = Math.min(problem.documents, (problem.wanted * problem.documents) / Math.max(1, rows));
    const path: AccessPath = { type: 'range', range, ordered: true, descending: order === 'descending' };
    yield { path, rows, cost: read * 2 };
  }
}

/** Whether the entries of a range are in the order of the statement, and which way. */
function orderOf(
  { source, probes }: KeyRange,
  order: readonly OrderTerm[] | undefined,
): 'ascending' | 'descending' | undefined {
  if (!order || !source.exact || source.array || probes.length !== 1) return undefined;
  const fixed = probes[0]!.length;
  const bound = source.columns.slice(0, fixed).map(({ expression }) => expression);
  const terms = order
    .map(({ expression, descending }) => ({ name: nameOf(expression), descending }))
    .filter(({ name }) => !bound.includes(name));
  const descending = terms[0]?.descending ?? false;
  const isServed = terms.every(
    (term, place) => term.name === source.columns[fixed + place]?.expression && term.descending === descending,
  );
  return isServed ? (descending ? 'descending' : 'ascending') : undefined;
}

/** The indexes that hold every document that the statement can want. */
function usableIndexes({ indexes, conditions, terms, withDeleted }: PathProblem): IndexSource[] {
  return indexes.filter(
    (source) =>
      (source.withDeleted || !withDeleted) && source.condition.every((term) => isImplied(term, terms, conditions)),
  );
}

/** Whether the documents of a result fulfil a term of a partial index. */
function isImplied(term: Expression, terms: ReadonlySet<string>, conditions: readonly BoundCondition[]): boolean {
  if (terms.has(expressionName(term))) return true;
  return term.type === 'test' && conditions.some((condition) => implies(condition, term));
}

function implies(
  condition: BoundCondition,
  { test, negated, operand }: Extract<Expression, { type: 'test' }>,
): boolean {
  if (!('operand' in condition) || nameOf(condition.operand) !== expressionName(operand)) return false;
  if (test === 'MISSING') return negated && isPresent(condition);
  return (test === 'VALUED' ? !negated : negated) && isValued(condition);
}

function isPresent(condition: BoundCondition): boolean {
  return condition.type !== 'test' || condition.test === 'NULL' || (condition.test === 'VALUED') !== condition.negated;
}

function isValued(condition: BoundCondition): boolean {
  switch (condition.type) {
    case 'compare':
      return (
        (condition.operator === '=' && condition.value !== null) ||
        ((condition.operator === '<' || condition.operator === '<=') && typeof condition.value !== 'object')
      );
    case 'in':
      return condition.values.every((value) => value !== null);
    case 'test':
      return condition.test === 'VALUED' ? !condition.negated : condition.test === 'NULL' && condition.negated;
    default:
      return false;
  }
}

/** The ranges that conditions leave of an index, if they leave something out. */
function rangesIn(source: IndexSource, conditions: readonly BoundCondition[]): KeyRange[] {
  const ranges = source.array
    ? conditions.flatMap((condition) => {
        const items = conditionsOnItems(condition, source.array!);
        return items ? [keyRange(source, items)] : [];
      })
    : [keyRange(source, conditions)];
  return ranges.filter((range) => isNarrow(range) && isSought(range));
}

/** Filters alone still walk the whole index. */
const isSought = ({ probes, low, high }: KeyRange): boolean =>
  probes.length !== 1 || probes[0]!.length > 0 || low !== undefined || high !== undefined;

/** Conditions on the items that an array index holds. */
function conditionsOnItems(
  condition: BoundCondition,
  [path, ...inner]: readonly (readonly PathStep[])[],
): readonly BoundCondition[] | undefined {
  if (condition.type !== 'any' || nameOf(condition.array) !== nameOfPath(path!)) return undefined;
  if (inner.length === 0) return condition.items;
  for (const item of condition.items) {
    const found = conditionsOnItems(item, inner);
    if (found) return found;
  }
  return undefined;
}

const nameOfPath = (path: readonly PathStep[]): string => expressionName({ type: 'property', source: 0, path });

/** For alternatives of which each leaves part of some index. */
function unions(
  usable: readonly IndexSource[],
  conditions: readonly BoundCondition[],
): { readonly ranges: readonly KeyRange[] }[] {
  return conditions.flatMap((condition) => {
    if (condition.type !== 'or') return [];
    const others = conditions.filter((other) => other !== condition);
    const ranges = condition.alternatives.map((alternative) =>
      usable.flatMap((source) => rangesIn(source, [...alternative, ...others])).at(0),
    );
    return ranges.every((range) => range !== undefined) ? [{ ranges }] : [];
  });
}

/** The best index by which rows are found for those of earlier sources. */
export function chooseSeek(
  problem: Pick<PathProblem, 'indexes' | 'conditions' | 'terms' | 'withDeleted'>,
  keys: readonly Expression[],
): KeyRange | undefined {
  const joinKeys = new Map(keys.map((operand, index) => [nameOf(operand), new JoinKey(index)]));
  let best: KeyRange | undefined;
  for (const source of usableIndexes(problem as PathProblem)) {
    if (source.array) continue;
    const range = keyRange(source, problem.conditions, joinKeys);
    if (!range.probes[0]?.some((key) => key instanceof JoinKey)) continue;
    if (source.withDeleted) return range;
    if (!best || range.probes[0].length > best.probes[0]!.length) best = range;
  }
  return best;
}

/** The terms of conjunctions that read one source alone. */
export function termsOf(conjunctions: readonly (Expression | undefined)[], source: number): ReadonlySet<string> {
  const terms = conjunctions.flatMap((expression) => conjunctsOf(expression));
  return new Set(terms.filter((term) => readsOnly(term, source)).map(expressionName));
}

function readsOnly(expression: Expression, source: number): boolean {
  if (expression.type === 'exists') return false;
  if ((expression.type === 'property' || expression.type === 'meta') && expression.source !== source) return false;
  return childrenOf(expression).every((child) => readsOnly(child, source));
}
