import { formatCollection, type CollectionName } from '@edgesync/document';
import { prepare, statementCollections, type Statement } from '@edgesync/query';
import type { DatabaseConfig } from './edge-config.js';
import type { Place } from './shape.js';

/** A name that no collection has, for `FROM _`: which one it means is known when the query runs. */
const KEYSPACE_OF_REQUEST: CollectionName = { scope: '', collection: '' };

/**
 * Warns about statements that name a collection that is not shared, or an index that is not defined. They are answered
 * with 400, as by the original; that is no reason not to serve the rest.
 */
export function warnOfQueries(database: DatabaseConfig, place: Place): void {
  for (const [name, { statement: text }] of database.queries ?? []) {
    const at = place.at('queries').at(name);
    const statement = prepare(text, {
      database: database.name,
      keyspace: KEYSPACE_OF_REQUEST,
      collections: 'any',
      fullTextIndexes: () => 'any',
    });
    warnOfCollections(statement, database, at);
    warnOfIndexes(statement, database, at);
  }
  for (const [name, { collection }] of database.indexes ?? [])
    if (!isShared(collection, database))
      place
        .at('indexes')
        .at(name)
        .warn(`is for the collection ${formatCollection(collection)}, which is not shared`, 'Add it to collections.');
}

function warnOfCollections(statement: Statement, database: DatabaseConfig, place: Place): void {
  for (const name of statementCollections(statement))
    if (name.collection !== '' && !isShared(name, database))
      place.warn(`reads the collection ${formatCollection(name)}, which is not shared`, 'Add it to collections.');
}

/** The database's own name stands for the default collection, unless a collection has that name. */
function isShared({ scope, collection }: CollectionName, { name, collections }: DatabaseConfig): boolean {
  return (
    collections === undefined ||
    collections.some(
      (shared) =>
        shared.scope === scope &&
        (shared.collection === collection || (collection === name && shared.collection === '_default')),
    )
  );
}

function warnOfIndexes({ matches }: Statement, { indexes }: DatabaseConfig, place: Place): void {
  for (const { index } of matches)
    if (indexes?.get(index)?.type !== 'fulltext')
      place.warn(`uses the full-text index ${JSON.stringify(index)}, which is not defined`, 'Add it to indexes.');
}
