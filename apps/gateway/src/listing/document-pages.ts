import type { Keyspace } from '@edgesync/document';
import type { DocumentRevision, Storage } from '@edgesync/ports';
import { LIST_PAGE_ROWS } from '../tuning.js';
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
  const ids = keys.filter((id) => isInRange(id, parameters));
  if (parameters.descending) ids.reverse();
  let { skip } = parameters;
  let remaining = parameters.limit === undefined ? Infinity : Math.max(parameters.limit, 1);
  for (let start = 0; start < ids.length && remaining > 0; start += LIST_PAGE_ROWS) {
    const found = await storage.read(keyspace, ids.slice(start, start + LIST_PAGE_ROWS), {
      body: parameters.include_docs === true,
    });
    const live = found.filter((document): document is DocumentRevision => document !== undefined && !document.deleted);
    const rows = live.slice(skip, skip + remaining);
    skip = Math.max(skip - live.length, 0);
    remaining -= rows.length;
    if (rows.length > 0) yield rows;
  }
}

function isInRange(id: string, { startkey, endkey, descending }: Omit<ListingParameters, 'keys'>): boolean {
  const [lower, upper] = descending ? [endkey, startkey] : [startkey, endkey];
  return (lower === undefined || compareBytes(id, lower) >= 0) && (upper === undefined || compareBytes(id, upper) <= 0);
}

/** Binary order of the UTF-8 forms, which UTF-16 order is not beyond the basic plane. */
const compareBytes = (a: string, b: string): number => Buffer.compare(Buffer.from(a), Buffer.from(b));
