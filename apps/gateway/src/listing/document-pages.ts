import { compareBytes, type Keyspace } from '@edgesync/document';
import type { StoredRevision, Storage } from '@edgesync/ports';
import { FIRST_READ_ROWS, LIST_PAGE_ROWS, READ_PAGE_CHARACTERS } from '../tuning.js';
import type { ListingRequest } from './listing-parameters.js';

/** The documents of a listing, page by page. One page is in memory at a time; the storage is free between two. */
export async function* documentPages(
  storage: Storage,
  keyspace: Keyspace,
  { startKey, endKey, inclusiveEnd, descending, skip, limit, includeDocs }: ListingRequest,
): AsyncGenerator<readonly StoredRevision[], void, undefined> {
  let remaining = limit;
  const bounds = { ...(startKey !== undefined && { startKey }), ...(endKey !== undefined && { endKey }) };
  let after: string | undefined;
  while (remaining > 0) {
    const { rows, more } = await storage.list(keyspace, {
      ...bounds,
      body: includeDocs,
      descending,
      limit: Math.min(remaining, LIST_PAGE_ROWS),
      ...(after === undefined ? { skip } : { after }),
    });
    const listed = inclusiveEnd ? rows : rows.filter(({ id }) => id !== endKey);
    if (listed.length > 0) yield listed;
    if (!more || rows.length === 0) return;
    after = rows.at(-1)!.id;
    remaining -= rows.length;
  }
}

/** The documents that `keys` names, in that order (backwards when descending), without those that do not exist. */
export async function* keyPages(
  storage: Storage,
  keyspace: Keyspace,
  request: ListingRequest,
): AsyncGenerator<readonly StoredRevision[], void, undefined> {
  const { keys = [], descending, limit, includeDocs: body } = request;
  const ids = keys.filter((id) => isInRange(id, request));
  if (descending) ids.reverse();
  let { skip } = request;
  let remaining = limit;
  let count = body ? FIRST_READ_ROWS : LIST_PAGE_ROWS;
  for (let start = 0; start < ids.length && remaining > 0;) {
    const asked = ids.slice(start, start + count);
    const found = await storage.read(keyspace, asked, { body });
    start += asked.length;
    if (body) count = likelyRows(found);
    const live = found.filter((document): document is StoredRevision => document !== undefined && !document.deleted);
    const rows = live.slice(skip, skip + remaining);
    skip = Math.max(skip - live.length, 0);
    remaining -= rows.length;
    if (rows.length > 0) yield rows;
  }
}

/** How many documents make a page if they are as long as those. */
function likelyRows(found: readonly (StoredRevision | undefined)[]): number {
  const characters = found.reduce((sum, document) => sum + (document?.body?.length ?? 0), 0);
  return Math.max(1, Math.min(LIST_PAGE_ROWS, Math.floor((READ_PAGE_CHARACTERS * found.length) / (characters + 1))));
}

function isInRange(id: string, { startKey, endKey, inclusiveEnd, descending }: ListingRequest): boolean {
  if (!inclusiveEnd && id === endKey) return false;
  const [lower, upper] = descending ? [endKey, startKey] : [startKey, endKey];
  return (lower === undefined || compareBytes(id, lower) >= 0) && (upper === undefined || compareBytes(id, upper) <= 0);
}
