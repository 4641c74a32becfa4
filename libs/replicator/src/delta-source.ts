import { createDelta } from '@edgesync/document';
import type { DocumentRevision } from '@edgesync/ports';
import type { CollectionLink } from './peer-link.js';
import type { WantedRev } from './wanted-rev.js';

export interface Delta {
  /** The revision it applies to, as the peer listed it. */
  readonly base: string;
  readonly json: string;
}

/** Whether it is worth looking for a delta (wire H.1). */
export function mayBeDelta({ link }: CollectionLink, wanted: WantedRev, body: string): boolean {
  const { smallestDeltaBody, largestDeltaBody } = link.environment.tuning;
  const { length } = body;
  return (
    link.takesDeltas &&
    wanted.listed.length > 0 &&
    !wanted.deleted &&
    length >= smallestDeltaBody &&
    length <= largestDeltaBody
  );
}

/**
 * The body as a delta against a revision that the peer listed: never against another one, for a client that lacks the
 * document crashes on it (J.4-26). Undefined if no listed body is stored or nothing is saved.
 * @throws EdgeError `storage.*`
 */
export async function findDelta(
  { link, keyspace }: CollectionLink,
  wanted: WantedRev,
  body: string,
): Promise<Delta | undefined> {
  // The peer puts the one it would rather have first; a versioned peer lists a second one.
  for (const base of wanted.listed.slice(0, 2)) {
    const stored: DocumentRevision | undefined = await link.environment.storage.readRevision(keyspace, wanted.id, base);
    if (!stored || stored.deleted) continue;
    const json = createDelta(stored.body, body);
    return json === undefined ? undefined : { base, json };
  }
  return undefined;
}
