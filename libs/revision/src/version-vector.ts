import { EdgeError } from '@edgesync/errors';
import {
  compareTimes,
  compareVersionsByTime,
  isVersionSyntax,
  isWireVersion,
  versionSource,
  versionTime,
} from './version.js';

/** A vector taken apart (docs/protocol/revisions.md#vector-text). Versions stay text: `time@source`. */
export interface VersionVector {
  /** Current version. */
  readonly cv: string;
  /** The versions that were merged into the current one. */
  readonly mv: readonly string[];
  /** The latest known versions of other sources. */
  readonly pv: readonly string[];
  /** Rev-tree IDs the document had before it got versions, newest first. */
  readonly legacy: readonly string[];
}

const COMMA = 0x2c;
const SEMICOLON = 0x3b;
const SPACE = 0x20;

function isSeparator(code: number): boolean {
  // Past the end of the text the code is NaN.
  return code === COMMA || code === SEMICOLON || code === SPACE || Number.isNaN(code);
}

function invalidVector(text: string, fault: string): EdgeError {
  return new EdgeError('version.invalid', `invalid version vector "${text.slice(0, 120)}": ${fault}`);
}

/** Index of the separator that ends the first element, or the length. */
function endOfFirst(vector: string): number {
  for (let at = 0; at < vector.length; at++) {
    const code = vector.charCodeAt(at);
    if (code === COMMA || code === SEMICOLON) return at;
  }
  return vector.length;
}

/**
 * The current version of a vector, or of the proposal that may be one (docs/protocol/replication.md#proposechanges):
 * the text before the first separator.
 */
export function currentVersionOf(vector: string): string {
  return vector.slice(0, endOfFirst(vector)).trim();
}

/** Whether the vector is a current version and nothing else: the common case, which needs no parsing. */
function isSingle(vector: string): boolean {
  return endOfFirst(vector) === vector.length;
}

/**
 * Takes a vector apart. Empty elements are skipped (Sync Gateway writes them,
 * docs/protocol/revisions.md#vectors-on-messages).
 * @throws EdgeError `version.invalid`
 */
export function parseVector(text: string): VersionVector {
  const parts = text.split(';');
  if (parts.length > 2) throw invalidVector(text, 'more than one semicolon');
  const mv: string[] = [];
  const pv: string[] = [];
  const legacy: string[] = [];
  const seen = new Set<string>();
  let cv: string | undefined;
  for (const [index, part] of parts.entries()) {
    for (const raw of part.split(',')) {
      const element = raw.trim();
      if (element === '') continue;
      if (!element.includes('@')) {
        if (cv === undefined || !/^[1-9]\d*-[0-9a-f]+$/.test(element)) throw invalidVector(text, `"${element}"`);
        legacy.push(element);
        continue;
      }
      if (!isVersionSyntax(element)) throw invalidVector(text, `"${element}"`);
      if (legacy.length > 0) throw invalidVector(text, 'a version follows a revision ID');
      if (seen.has(element)) throw invalidVector(text, `"${element}" occurs twice`);
      seen.add(element);
      if (index === 0 && cv === undefined) cv = element;
      else (index === 0 ? mv : pv).push(element);
    }
  }
  if (cv === undefined) throw invalidVector(text, 'no current version');
  return { cv, mv, pv, legacy };
}

/**
 * Wire text as Couchbase Lite writes it, with the semicolon that must follow merge versions
 * (docs/protocol/revisions.md#vectors-on-messages).
 */
export function formatVector({ cv, mv, pv, legacy }: VersionVector): string {
  const merged = [cv, ...mv].join(', ');
  const previous = [...pv, ...legacy].join(', ');
  if (previous !== '') return `${merged}; ${previous}`;
  return mv.length > 0 ? `${merged};` : merged;
}

/**
 * The `history` property of a `rev` message for a vector: everything after the current version
 * (docs/protocol/revisions.md#vectors-on-messages).
 */
export function historyForRev(vector: string): string {
  const end = endOfFirst(vector);
  if (end === vector.length) return '';
  const rest = vector.slice(end + 1).trim();
  // Without a semicolon the receiver would take merge versions for previous ones.
  return vector.charCodeAt(end) === COMMA && !rest.includes(';') ? `${rest};` : rest;
}

/**
 * The vector with its merge versions as previous ones, if it has previous ones too: `cv, mv, mv; pv` becomes
 * `cv; pv, pv`. The order of revisions is the same; only equal merges are no longer recognised as equal.
 */
export function foldMerge(vector: string): string {
  const end = endOfFirst(vector);
  const semicolon = vector.indexOf(';', end);
  if (vector.charCodeAt(end) !== COMMA || semicolon === -1 || semicolon === vector.length - 1) return vector;
  const { cv, mv, pv } = parseVector(vector);
  const source = versionSource(cv);
  const previous = newestPerSource([...mv, ...pv], []).filter((version) => versionSource(version) !== source);
  return formatVector({ cv, mv: [], pv: previous, legacy: [] });
}

/**
 * Puts the `rev` and `history` properties of a `rev` message together again
 * (docs/protocol/revisions.md#vectors-on-messages).
 * @returns the vector without legacy IDs, and those apart
 * @throws EdgeError `version.invalid` also for versions no peer may send: local forms, sources that are not 16 bytes
 */
export function vectorFromRev(rev: string, history: string): { vector: string; legacy: readonly string[] } {
  if (history === '') {
    if (!isWireVersion(rev)) throw invalidVector(rev, 'not a version');
    return { vector: rev, legacy: [] };
  }
  const parsed = parseVector(`${rev}${history.includes(';') ? ',' : ';'}${history}`);
  // A separator inside `rev` would have moved the border between current and merged versions.
  if (parsed.cv !== rev) throw invalidVector(rev, 'not a version');
  checkWireVector(parsed);
  return { vector: formatVector({ ...parsed, legacy: [] }), legacy: parsed.legacy };
}

/** @throws EdgeError `version.invalid` if some version is not what every peer accepts */
export function checkWireVector({ cv, mv, pv }: VersionVector): void {
  for (const version of [cv, ...mv, ...pv]) {
    if (!isWireVersion(version)) throw new EdgeError('version.invalid', `invalid version "${version.slice(0, 80)}"`);
  }
}

/**
 * The latest time (hex) that a vector knows of a source, '' if none: t(V, s) of
 * docs/protocol/revisions.md#comparing-vectors, read from the text.
 */
export function timeOfSource(vector: string, source: string): string {
  let latest = '';
  const needle = `@${source}`;
  for (let at = vector.indexOf(needle); at !== -1; at = vector.indexOf(needle, at + 1)) {
    if (!isSeparator(vector.charCodeAt(at + needle.length))) continue;
    let start = at;
    while (start > 0 && !isSeparator(vector.charCodeAt(start - 1))) start--;
    const time = vector.slice(start, at);
    if (compareTimes(time, latest) > 0) latest = time;
  }
  return latest;
}

/** Whether a vector knows a version: has the same or a later one of its source. */
export function vectorIncludes(vector: string, version: string): boolean {
  return compareTimes(timeOfSource(vector, versionSource(version)), versionTime(version)) >= 0;
}

/** How an incoming revision stands to the local one. */
export type Relation = 'same' | 'newer' | 'older' | 'conflict';

/**
 * The relation of docs/protocol/revisions.md#comparing-vectors, its rules in order. Legacy IDs do not count here. Two
 * peers that merged the same versions are not in conflict: the incoming merge is taken.
 */
export function compareVectors(local: string, incoming: string): Relation {
  const localVersion = currentVersionOf(local);
  const incomingVersion = currentVersionOf(incoming);
  if (localVersion === incomingVersion) return 'same';
  if (vectorIncludes(incoming, localVersion)) return 'newer';
  if (vectorIncludes(local, incomingVersion)) return 'older';
  return mergedAlike(local, incoming) ? 'newer' : 'conflict';
}

function mergedAlike(left: string, right: string): boolean {
  if (left.charCodeAt(endOfFirst(left)) !== COMMA || right.charCodeAt(endOfFirst(right)) !== COMMA) return false;
  const leftMerged = new Set(parseVector(left).mv);
  const rightMerged = new Set(parseVector(right).mv);
  return (
    leftMerged.size > 0 &&
    leftMerged.size === rightMerged.size &&
    [...leftMerged].every((version) => rightMerged.has(version))
  );
}

/** The newest version per source among `versions`, without those that `cover` has the same or later; newest first. */
function newestPerSource(versions: Iterable<string>, cover: readonly string[]): string[] {
  const newest = new Map<string, string>();
  for (const version of versions) {
    const source = versionSource(version);
    const known = newest.get(source);
    if (!known || compareTimes(versionTime(version), versionTime(known)) > 0) newest.set(source, version);
  }
  for (const version of cover) {
    const known = newest.get(versionSource(version));
    if (known && compareTimes(versionTime(known), versionTime(version)) <= 0) newest.delete(versionSource(version));
  }
  return [...newest.values()].sort((left, right) => compareVersionsByTime(right, left));
}

/**
 * The vector after an edit made at version `version` on top of `vector` (docs/protocol/revisions.md#changing-vectors).
 * The clock of a source never goes back, so the version replaces whatever the vector knows of its source.
 */
export function editVector(vector: string, version: string): string {
  const source = versionSource(version);
  if (isSingle(vector)) return versionSource(vector) === source ? version : `${version}; ${vector}`;
  const { cv, mv, pv } = parseVector(vector);
  const previous = newestPerSource([cv, ...mv, ...pv], []).filter((known) => versionSource(known) !== source);
  return formatVector({ cv: version, mv: [], pv: previous, legacy: [] });
}

/**
 * The vector of a merge of two conflicting revisions, made at version `version`
 * (docs/protocol/revisions.md#changing-vectors).
 */
export function mergeVectors(left: string, right: string, version: string): string {
  const one = parseVector(left);
  const two = parseVector(right);
  const mv = [one.cv, two.cv];
  const pv = newestPerSource([...one.mv, ...one.pv, ...two.mv, ...two.pv], [version, ...mv]);
  return formatVector({ cv: version, mv, pv, legacy: [] });
}

/**
 * The vector of `winner` once `loser` has been decided against it (docs/protocol/revisions.md#changing-vectors): the
 * current version stays, all that the loser knows is folded into the previous versions. Also how a dominating vector is
 * stored over an older one: nothing the older one knew is forgotten, even if the sender has shortened its vector.
 */
export function resolveToWinner(winner: string, loser: string): string {
  if (isSingle(loser) && vectorIncludes(winner, loser)) return winner;
  const kept = parseVector(winner);
  const folded = parseVector(loser);
  const others = [...kept.pv, folded.cv, ...folded.mv, ...folded.pv];
  const pv = newestPerSource(others, [kept.cv, ...kept.mv]).filter(
    (version) => versionSource(version) !== versionSource(kept.cv),
  );
  // A source may not be both merged and previous: if the loser knows a merged source better, the merge is history.
  const outdated = kept.mv.some((merged) => pv.some((version) => versionSource(version) === versionSource(merged)));
  if (!outdated) return formatVector({ cv: kept.cv, mv: kept.mv, pv, legacy: [] });
  const previous = newestPerSource([...kept.mv, ...others], [kept.cv]).filter(
    (version) => versionSource(version) !== versionSource(kept.cv),
  );
  return formatVector({ cv: kept.cv, mv: [], pv: previous, legacy: [] });
}
