import { formatCollection, parseCollectionName, type CollectionName } from '@edgesync/document';
import type { ClientSync, DatabaseConfig, NamedQueryConfig } from './edge-config.js';
import { COLLECTION_NAME, NOT_EMPTY } from './names.js';
import {
  boolean,
  defaulted,
  dictionary,
  either,
  INVALID,
  isObject,
  isPath,
  list,
  mapped,
  needing,
  object,
  oneOf,
  optional,
  required,
  text,
  type Invalid,
  type Place,
  type Shape,
} from './shape.js';

/** A list of collection names without duplicates: `a` and `_default.a` are one. */
function collectionNames(names: readonly string[], place: Place): CollectionName[] | Invalid {
  const seen = new Map<string, CollectionName>();
  for (const name of names) {
    const parsed = parseCollectionName(name);
    const canonical = formatCollection(parsed);
    if (seen.has(canonical))
      return place.refuse(`names the collection ${canonical} twice`, 'Name each collection once.');
    seen.set(canonical, parsed);
  }
  return [...seen.values()];
}

export const collectionList: Shape<CollectionName[]> = mapped(list(text(COLLECTION_NAME)), collectionNames);

/** Collections as a list of names, or as an object of names and `settings`. */
export function collectionsWith<T>(settings: Shape<T>): Shape<(CollectionName & { settings?: T })[]> {
  const asObject = mapped(dictionary(settings, COLLECTION_NAME), (entries, place) => {
    const names = collectionNames([...entries.keys()], place);
    if (names === INVALID) return INVALID;
    const values = [...entries.values()];
    return names.map((name, index) => ({ ...name, settings: values[index]! }));
  });
  return either(collectionList, asObject);
}

const sharedCollections = mapped(collectionsWith(object({})), (shared): CollectionName[] =>
  shared.map(({ scope, collection }) => ({ scope, collection })),
);

const clientSync = mapped(either(boolean(), oneOf(['pull', 'push', 'bidirectional'])), (value): ClientSync =>
  value === true ? 'bidirectional' : value === false ? 'none' : value,
);

const SELECT = { pattern: /^\s*[^\s][^]*$/, expects: 'a SQL++ SELECT statement' };

const queryShape = either(
  mapped(text(SELECT), (statement): NamedQueryConfig => ({ statement })),
  mapped(
    object({
      statement: required(text(SELECT), 'The SQL++ SELECT statement.'),
      allow: optional(
        object({
          collections: required(collectionList, 'Collections of this database; reading one of them is enough.'),
        }),
        'Who may run the query when access rules are enforced. Absent: whoever may read some collection.',
      ),
    }),
    ({ statement, allow }): NamedQueryConfig => ({ statement, allowCollections: allow?.collections }),
  ),
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
      dictionary(queryShape, NOT_EMPTY),
      'Named queries: a SELECT statement, or an object with the statement and who may run it.',
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
