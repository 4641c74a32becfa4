import type { CollectionName } from '@edgesync/document';

/** Where the documents of a collection lie. */
export interface CollectionTables extends CollectionName {
  /** Name in `kvmeta`: `default`, `.inventory.hotel`. */
  readonly store: string;
  readonly live: string;
  /** Absent in files before Couchbase Lite 3.1. */
  readonly deleted: string | undefined;
}

const LIVE = 'kv_';
const DELETED = 'kv_del_';

/**
 * The collections among the tables of a database, without indexes, settings, checkpoints and key–value stores of apps.
 * SQLite compares names without case, so Couchbase Lite writes a backslash before each capital letter.
 */
export function findCollections(tables: readonly string[]): CollectionTables[] {
  const known = new Set(tables);
  return tables.flatMap((table) => {
    const name = collectionOf(table);
    if (!name) return [];
    const deleted = `${DELETED}${table.slice(LIVE.length)}`;
    const store = unescape(table.slice(LIVE.length));
    return [{ ...name, store, live: table, deleted: known.has(deleted) ? deleted : undefined }];
  });
}

function collectionOf(table: string): CollectionName | undefined {
  if (table === 'kv_default') return { scope: '_default', collection: '_default' };
  if (!table.startsWith('kv_.') || table.includes(':')) return undefined;
  const [first, second] = unescape(table.slice('kv_.'.length)).split(/\.(.*)/s);
  if (!first) return undefined;
  return second === undefined ? { scope: '_default', collection: first } : { scope: first, collection: second };
}

/** The name of a collection's store, as `kvmeta` and, escaped, its tables have it. */
export function storeName({ scope, collection }: CollectionName): string {
  if (scope === '_default') return collection === '_default' ? 'default' : `.${collection}`;
  return `.${scope}.${collection}`;
}

/** The tables of a collection in a new bundle. */
export function tablesOf(name: CollectionName): { readonly live: string; readonly deleted: string } {
  const escaped = storeName(name).replace(/[A-Z]/g, '\\$&');
  return { live: `${LIVE}${escaped}`, deleted: `${DELETED}${escaped}` };
}

const unescape = (name: string): string => name.replaceAll('\\', '');
