import type { Expression, KeyTerm, PathStep } from '@edgesync/query';
import type { AccessPath, PathProblem } from './access-path.js';
import { NOTHING, type BoundCondition } from './bound-conditions.js';
import { nameOf, type KeyRange } from './key-range.js';
import { scanTerms } from './scan-terms.js';

/** The source that a step of a plan is about. */
export interface Place {
  readonly collection: string;
  readonly alias: string;
}

const sourceOf = ({ collection, alias }: Place): string =>
  alias === '_' || collection.endsWith(`.${alias}`) ? collection : `${collection} AS ${alias}`;

export const describeSource = (place: Place, parts: readonly string[]): string =>
  `${sourceOf(place)}: ${parts.join(', ')}`;

/** @param joined whether rows of earlier sources are there */
export function describePath(
  place: Place,
  path: AccessPath | typeof NOTHING,
  conditions: readonly BoundCondition[],
  joined: boolean,
): string {
  const source = sourceOf(place);
  if (path === NOTHING) return `${source}: no document can fulfil the conditions`;
  switch (path.type) {
    case 'scan':
      return `${source}: full scan${scanTerms(conditions).length > 0 ? ', filtered while reading' : ''}${joined ? ', read once and kept for the join' : ''}`;
    case 'range':
      return `${source}: ${describeRange(path.range)}${path.ordered ? ', in the order of the result' : ''}`;
    case 'union':
      return `${source}: ${path.ranges.map(describeRange).join(', or ')}`;
  }
}

export function describeSeek(place: Place, range: KeyRange): string {
  return `${sourceOf(place)}: for each row so far, ${describeRange(range)}`;
}

function describeRange({ source, probes, low, high, filters }: KeyRange): string {
  const { columns, name } = source;
  const sought = probes[0]?.length ?? columns.length;
  const parts = columns
    .slice(0, sought)
    .map(({ text }) => `${text} ${probes.length > 1 ? 'one of some values' : 'equal'}`);
  if (low || high) parts.push(`${columns[sought]!.text} in a range`);
  if (filters.length > 0) parts.push('filtered by other columns');
  return `index ${name}${parts.length > 0 ? ` (${parts.join(', ')})` : ', all of it'}`;
}

/** The index that would spare a full scan, if there is one. */
export function hintFor(place: Place, { conditions, order }: PathProblem, keys: readonly KeyTerm[]): string[] {
  const paths = new Map<string, Expression>();
  const note = (operand: Expression): void => {
    if (operand.type === 'property' && operand.path.length > 0) paths.set(nameOf(operand), operand);
  };
  for (const { operand } of keys) note(operand);
  for (const condition of conditions) if (isEquality(condition)) note(condition.operand);
  const range = conditions.find((condition) => isRange(condition) && condition.operand.type === 'property');
  if (range && 'operand' in range) note(range.operand);
  if (paths.size === 0) for (const { expression } of order ?? []) note(expression);
  if (paths.size > 0) {
    const columns = [...paths.values()].map((operand) => pathText((operand as { path: readonly PathStep[] }).path));
    return [`a value index of ${place.collection} on ${columns.join(', ')} would spare the full scan`];
  }
  for (const condition of conditions) {
    if (condition.type !== 'any' || condition.array.type !== 'property') continue;
    return [
      `an array index of ${place.collection} with the path ${pathText(condition.array.path)} would spare the full scan`,
    ];
  }
  return [];
}

function isEquality(condition: BoundCondition): condition is Extract<BoundCondition, { type: 'compare' | 'in' }> {
  return condition.type === 'in' || (condition.type === 'compare' && condition.operator === '=');
}

const isRange = (condition: BoundCondition): condition is Extract<BoundCondition, { type: 'compare' }> =>
  condition.type === 'compare' && condition.operator !== '=' && condition.operator !== '!=';

const PLAIN = /^[A-Za-z_][A-Za-z0-9_$]*$/;

function pathText(path: readonly PathStep[]): string {
  return path
    .map((step, place) => {
      if (typeof step === 'number') return `[${step}]`;
      return (place === 0 ? '' : '.') + (PLAIN.test(step) ? step : `\`${step.replaceAll('`', '``')}\``);
    })
    .join('');
}
