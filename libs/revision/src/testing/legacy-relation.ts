import { isVersion } from '../rev-id.js';
import { isLegacyVersion, legacyVersionOf } from '../version.js';
import { compareVectors, currentVersionOf, parseVector, type Relation } from '../version-vector.js';

/**
 * A revision as a Couchbase Lite 4 database knows it: a vector, legacy rev-tree IDs, or both
 * (docs/protocol/revisions.md#sending-to-version-vector-clients).
 */
interface LegacyPair {
  readonly vector: string;
  readonly legacy: readonly string[];
}

function pairOf(text: string): LegacyPair {
  if (!isVersion(text)) return { vector: '', legacy: text.split(',').map((rev) => rev.trim()) };
  return { vector: text, legacy: parseVector(text).legacy };
}

/**
 * How a Couchbase Lite 4 client judges an incoming revision against its own
 * (docs/protocol/revisions.md#sending-to-version-vector-clients), both written as a vector with trailing legacy IDs, or
 * as legacy IDs alone, newest first. It is what `history` must be written for: the legacy lists of two versioned
 * revisions must have the same head, or it sees a conflict however clear the vectors are.
 * @throws EdgeError `version.invalid`
 */
export function compareWithLegacy(local: string, incoming: string): Relation {
  const ours = pairOf(local);
  const theirs = pairOf(incoming);
  const [ourHead] = ours.legacy;
  const [theirHead] = theirs.legacy;
  if (ours.vector !== '' && theirs.vector !== '') {
    if (currentVersionOf(ours.vector) === currentVersionOf(theirs.vector)) return 'same';
    return ourHead === theirHead ? compareVectors(ours.vector, theirs.vector) : 'conflict';
  }
  if (ours.vector === '' && theirs.vector === '') {
    if (ourHead === theirHead) return 'same';
    if (theirs.legacy.includes(ourHead as string)) return 'newer';
    return ours.legacy.includes(theirHead as string) ? 'older' : 'conflict';
  }
  if (ours.vector === '') {
    if (standsFor(currentVersionOf(theirs.vector), ourHead as string)) return 'same';
    return theirs.legacy.includes(ourHead as string) ? 'newer' : 'conflict';
  }
  if (standsFor(currentVersionOf(ours.vector), theirHead as string)) return 'same';
  return ours.legacy.includes(theirHead as string) ? 'older' : 'conflict';
}

function standsFor(version: string, rev: string): boolean {
  return isLegacyVersion(version) && legacyVersionOf(rev) === version;
}
