import type { CollectionName } from '@edgesync/document';
import { collectionsWith } from './collection-shapes.js';
import type { ClientSync, DatabaseConfig } from './edge-config.js';
import { NOT_EMPTY } from './names.js';
import { DEFAULT_QUERY_LIMITS, indexesShape, queriesShape, queryLimitsShape } from './query-schema.js';
import {
  boolean,
  defaulted,
  either,
  isObject,
  isPath,
  mapped,
  needing,
  object,
  oneOf,
  optional,
  required,
  text,
} from './shape.js';

const sharedCollections = mapped(collectionsWith(object({})), (shared): CollectionName[] =>
  shared.map(({ scope, collection }) => ({ scope, collection })),
);

const clientSync = mapped(either(boolean(), oneOf(['pull', 'push', 'bidirectional'])), (value): ClientSync =>
  value === true ? 'bidirectional' : value === false ? 'none' : value,
);

const uuid = mapped(
  text({
    pattern: /^[0-9A-Fa-f]{8}(?:-?[0-9A-Fa-f]{4}){3}-?[0-9A-Fa-f]{12}$/,
    expects: 'a UUID: 32 hex digits, dashes or not',
  }),
  (digits) => digits.replaceAll('-', '').toLowerCase(),
);

/** One entry of `databases`, without what comes from outside the entry. */
const entryShape = mapped(
  object({
    path: required(
      text({ pattern: /[^/\\]\.cblite2[/\\]?$/, expects: 'a path that ends in ".cblite2"', visible: true }),
      'The database directory; its name ends in ".cblite2".',
    ),
    create: defaulted(boolean(), false, 'Whether to create the database when it is missing.'),
    collections: optional(
      sharedCollections,
      'The collections to share, as "collection" or "scope.collection"; with create they are also created. Absent: all.',
    ),
    enable_client_writes: defaulted(
      boolean(),
      false,
      'Whether REST clients may create, update and delete documents. Says nothing about sync.',
    ),
    enable_client_sync: defaulted(
      clientSync,
      'none',
      'Whether apps may sync: false, true or "bidirectional", "pull" (download only) or "push" (upload only).',
      false,
    ),
    enable_adhoc_queries: defaulted(boolean(), false, 'Whether clients may run SQL++ queries of their own.'),
    queries: optional(
      queriesShape,
      'Named queries: a SELECT statement, or an object with the statement and who may run it.',
    ),
    query_limits: defaulted(queryLimitsShape, DEFAULT_QUERY_LIMITS, 'What queries may use.', {}),
    indexes: optional(
      indexesShape,
      'The indexes of queries, by name. They are built while the server runs, and dropped when removed here.',
    ),
    password: optional(text(NOT_EMPTY), 'Encrypts the database: any text, or 64 hex digits for a raw AES-256 key.'),
    placeholder_uuid: optional(
      uuid,
      'A database with this UUID gets a fresh one at startup: for files that were cloned from a master.',
    ),
    enable_user_access_control: optional(
      boolean(),
      'Whether access rules are enforced in this database, whatever the top-level switch says.',
    ),
  }),
  (database): Omit<DatabaseConfig, 'name'> => ({
    path: database.path,
    create: database.create,
    collections: database.collections,
    enableClientWrites: database.enable_client_writes,
    enableClientSync: database.enable_client_sync,
    enableAdhocQueries: database.enable_adhoc_queries,
    queries: database.queries,
    queryLimits: database.query_limits,
    indexes: database.indexes,
    password: database.password,
    placeholderUuid: database.placeholder_uuid,
    enableUserAccessControl: database.enable_user_access_control ?? false,
    ownAccessControlSwitch: database.enable_user_access_control,
  }),
);

export const databaseShape = needing(entryShape, (written, place) => {
  if (!isObject(written) || !isPath(written['path'])) return;
  place.need({
    kind: 'database',
    key: place.at('path').path,
    path: written['path'],
    create: written['create'] === true,
  });
});
