import type { Keyspace } from '@edgesync/document';
import type { DocumentRevision, Storage } from '@edgesync/ports';
import { FIRST_READ_ROWS, LIST_PAGE_ROWS, READ_PAGE_CHARACTERS } from '../tuning.js';
import type { ListingParameters } from './listing-parameters.js';

/** The documents of a listing, page by page. One page is in memory at a time; the storage is free between two. */
export async function* documentPages(
  storage: Storage,
  keyspace: Keyspace,
  parameters: ListingParameters,
): AsyncGenerator<readonly DocumentRevision[], void, undefined> {
  const body = parameters.include_docs === true;
  let remaining = parameters.limit === undefined ? Infinity : Math.max(parameters.limit, 1);
  const bounds = {
    ...(parameters.startkey !== undefined && { startKey: parameters.startkey }),
    ...(parameters.endkey !== undefined && { endKey: parameters.endkey }),
  };
  let after: string | undefined;
  while (remaining > 0) {
    const { rows, more } = await storage.list(keyspace, {
      ...bounds,
      body,
      descending: parameters.descending,
      limit: Math.min(remaining, LIST_PAGE_ROWS),
      ...(after === undefined ? { skip: parameters.skip } : { after }),
    });
    if (rows.length > 0) yield rows;
    if (!more || rows.length === 0) return;
    after = rows.at(-1)!.id;
    remaining -= rows.length;
  }
}

/** The documents that `keys` names, in that order (backwards when descending), without those that do not exist. */
export async function* keyPages(
  storage: Storage,
  keyspace: Keyspace,
  { keys = [], ...parameters }: ListingParameters,
): AsyncGenerator<readonly DocumentRevision[], void, undefined> {
  const body = parameters.include_docs === true;
  const ids = keys.filter((id) => isInRange(id, parameters));
  if (parameters.descending) ids.reverse();
  let { skip } = parameters;
  let remaining = parameters.limit === undefined ? Infinity : Math.max(parameters.limit, 1);
  let count = body ? FIRST_READ_ROWS : LIST_PAGE_ROWS;
  for (let start = 0; start < ids.length && remaining > 0;) {
    const asked = ids.slice(start, start + count);
    const found = await storage.read(keyspace, asked, { body });
    start += asked.length;
    if (body) count = likelyRows(found);
    const live = found.filter((document): document is DocumentRevision => document !== undefined && !document.deleted);
    const rows = live.slice(skip, skip + remaining);
    skip = Math.max(skip - live.length, 0);
    remaining -= rows.length;
    if (rows.length > 0) yield rows;
  }
}

/** How many documents make a page if they are as long as those. */
function likelyRows(found: readonly (DocumentRevision | undefined)[]): number {
  const characters = found.reduce((sum, document) => sum + (document?.body.length ?? 0), 0);
  return Math.max(1, Math.min(LIST_PAGE_ROWS, Math.floor((READ_PAGE_CHARACTERS * found.length) / (characters + 1))));
}

function isInRange(id: string, { startkey, endkey, descending }: Omit<ListingParameters, 'keys'>): boolean {
  const [lower, upper] = descending ? [endkey, startkey] : [startkey, endkey];
  return (lower === undefined || compareBytes(id, lower) >= 0) && (upper === undefined || compareBytes(id, upper) <= 0);
}

/** Binary order of the UTF-8 forms, which UTF-16 order is not beyond the basic plane. */
const compareBytes = (a: string, b: string): number => Buffer.compare(Buffer.from(a), Buffer.from(b));
