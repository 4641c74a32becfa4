import type { CollectionName } from '../statement.js';

/**
 * The parts of a database that the checker has to know. `any` where it is not known, as when a configuration is read: then
 * every collection and index exists.
 */
export interface QueryContext {
  readonly database: string;
  /** The keyspace of the request: `FROM _`. */
  readonly keyspace: CollectionName;
  readonly collections: readonly CollectionName[] | 'any';
  /** Names of the full-text indexes of a collection. */
  fullTextIndexes(collection: CollectionName): readonly string[] | 'any';
}

const DEFAULT = '_default';

/**
 * The collection that one to three names mean. `_` is the keyspace of the request; the database's own name is its
 * default collection, unless a collection has that name; of three names the first is ignored.
 */
export function resolveCollection(names: readonly string[], context: QueryContext): CollectionName | undefined {
  const find = (scope: string, collection: string): CollectionName | undefined =>
    context.collections === 'any'
      ? { scope, collection }
      : context.collections.find((known) => known.scope === scope && known.collection === collection);
  if (names.length > 1) return find(names.at(-2)!, names.at(-1)!);
  const name = names[0]!;
  if (name === '_') return context.keyspace;
  return find(DEFAULT, name) ?? (name === context.database ? find(DEFAULT, DEFAULT) : undefined);
}
