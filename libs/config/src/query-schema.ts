import { parseCollectionName } from '@edgesync/document';
import {
  checkArrayPath,
  checkIndexExpression,
  LANGUAGE_CODES,
  languageCode,
  prepare,
  QueryError,
  type QueryContext,
} from '@edgesync/query';
import { collectionList, collectionName } from './collection-shapes.js';
import type { IndexConfig, NamedQueryConfig, QueryLimitsConfig } from './edge-config.js';
import { NOT_EMPTY } from './names.js';
import {
  boolean,
  defaulted,
  dictionary,
  either,
  integer,
  list,
  mapped,
  object,
  oneOf,
  optional,
  required,
  text,
  type Invalid,
  type Place,
  type ReadBy,
} from './shape.js';

const DEFAULT = parseCollectionName('_default');

/** Which collections and indexes there are is known when the database is open. */
const ANY_DATABASE: QueryContext = {
  database: '',
  keyspace: DEFAULT,
  collections: 'any',
  fullTextIndexes: () => 'any',
};

/** Runs a check of SQL++ text; what it finds is an issue of the place. */
function checked<T>(place: Place, what: string, check: () => T): T | Invalid {
  try {
    return check();
  } catch (error) {
    if (error instanceof QueryError) return place.refuse(`is not ${what}: ${error.message}`, 'Correct it.');
    throw error;
  }
}

const SELECT = { pattern: /^\s*[^\s][^]*$/, expects: 'a SQL++ SELECT statement' };

const statement = mapped(text(SELECT), (select, place) =>
  checked(place, 'a valid statement', () => {
    prepare(select, ANY_DATABASE);
    return select;
  }),
);

const queryShape = either(
  mapped(statement, (select): NamedQueryConfig => ({ statement: select })),
  mapped(
    object({
      statement: required(statement, 'The SQL++ SELECT statement.'),
      allow: optional(
        object({
          collections: required(collectionList, 'Collections of this database; reading one of them is enough.'),
        }),
        'Who may run the query when access rules are enforced. Absent: users who may read some collection.',
      ),
    }),
    ({ statement: select, allow }): NamedQueryConfig => ({ statement: select, allowCollections: allow?.collections }),
  ),
);

export const queriesShape = dictionary(queryShape, NOT_EMPTY);

export const DEFAULT_QUERY_LIMITS: QueryLimitsConfig = {
  timeout: 30_000,
  running: 8,
  waiting: 128,
  heldRows: 1_000_000,
  heldBytes: 256 * 1_024 * 1_024,
  slow: 1_000,
  liveInterval: 250,
};

const DAY = 86_400_000;

export const queryLimitsShape = mapped(
  object({
    timeout: defaulted(
      integer({ min: 1, max: DAY }),
      DEFAULT_QUERY_LIMITS.timeout,
      'Milliseconds until a query is stopped.',
    ),
    running: defaulted(integer({ min: 1, max: 1_000 }), DEFAULT_QUERY_LIMITS.running, 'Queries that run at once.'),
    waiting: defaulted(
      integer({ min: 0, max: 100_000 }),
      DEFAULT_QUERY_LIMITS.waiting,
      'Queries that wait for their turn; more are refused with 503.',
    ),
    held_rows: defaulted(
      integer({ min: 1 }),
      DEFAULT_QUERY_LIMITS.heldRows,
      'Rows that a query may hold in memory for sorting, grouping and joining.',
    ),
    held_bytes: defaulted(
      integer({ min: 1_024 }),
      DEFAULT_QUERY_LIMITS.heldBytes,
      'Bytes that these rows may take, estimated.',
    ),
    slow: defaulted(
      integer({ min: 0, max: DAY }),
      DEFAULT_QUERY_LIMITS.slow,
      'Queries that take more milliseconds are logged with their plan (domain Query, level info).',
    ),
    live_interval: defaulted(
      integer({ min: 1, max: DAY }),
      DEFAULT_QUERY_LIMITS.liveInterval,
      'Least milliseconds between two results of a live query.',
    ),
  }),
  (limits): QueryLimitsConfig => ({
    timeout: limits.timeout,
    running: limits.running,
    waiting: limits.waiting,
    heldRows: limits.held_rows,
    heldBytes: limits.held_bytes,
    slow: limits.slow,
    liveInterval: limits.live_interval,
  }),
);

const indexExpression = mapped(text(NOT_EMPTY), (expression, place) =>
  checked(place, 'a valid expression', () => {
    checkIndexExpression(expression);
    return expression;
  }),
);

const arrayPath = mapped(text(NOT_EMPTY), (path, place) =>
  checked(place, 'the path of an array', () => {
    checkArrayPath(path);
    return path;
  }),
);

const language = mapped(text(NOT_EMPTY), (name, place) =>
  languageCode(name) === undefined
    ? place.refuse(`is ${JSON.stringify(name)}`, `It must be one of ${LANGUAGE_CODES.join(', ')}, or its English name.`)
    : languageCode(name)!,
);

const TYPES = ['value', 'fulltext', 'array'] as const;
/** The keys that belong to some types only. */
const KEYS_OF_TYPES: Readonly<Record<string, readonly (typeof TYPES)[number][]>> = {
  where: ['value', 'fulltext'],
  path: ['array'],
  language: ['fulltext'],
  ignoreAccents: ['fulltext'],
  disableStemming: ['fulltext'],
  stopWords: ['fulltext'],
};

const writtenIndex = object({
  collection: defaulted(collectionName, DEFAULT, 'The collection of the index.', '_default'),
  type: defaulted(oneOf(TYPES), 'value', 'What it speeds up: comparisons and sorting, MATCH(), or UNNEST and ANY.'),
  expressions: optional(
    list(indexExpression),
    'What is indexed: expressions of the document or, for an array, of its items; full text: paths of properties.',
  ),
  where: optional(indexExpression, 'A condition: documents for which it is not true are left out.'),
  path: optional(arrayPath, 'The array to index; arrays inside of arrays: "contacts[].phones".'),
  language: optional(language, 'Language of the text, for stemming and stop words: a code or English name.'),
  ignoreAccents: optional(boolean(), 'Whether full text takes é for e.'),
  disableStemming: optional(boolean(), 'Whether full text keeps words as they are in spite of a language.'),
  stopWords: optional(list(text(NOT_EMPTY)), 'Words that full text leaves out, in place of those of the language.'),
});

type WrittenIndex = ReadBy<typeof writtenIndex>;

export const indexesShape = dictionary(mapped(writtenIndex, toIndex), NOT_EMPTY);

function toIndex(written: WrittenIndex, place: Place): IndexConfig | Invalid {
  const { collection, type, expressions = [] } = written;
  for (const [key, types] of Object.entries(KEYS_OF_TYPES))
    if (written[key as keyof WrittenIndex] !== undefined && !types.includes(type))
      return place.at(key).refuse(`means nothing for an index of type ${JSON.stringify(type)}`, 'Remove it.');
  if (type === 'array') {
    if (written.path === undefined) return place.at('path').refuse('is missing', 'Add it: the array to index.');
    return { collection, type, path: written.path, expressions };
  }
  if (expressions.length === 0)
    return place.at('expressions').refuse('has no expressions', 'List at least one, such as ["city"].');
  const where = written.where !== undefined && { where: written.where };
  if (type === 'value') return { collection, type, expressions, ...where };
  const odd = expressions.findIndex((expression) => checkIndexExpression(expression).type !== 'property');
  if (odd >= 0)
    return place.at('expressions').at(odd).refuse('is not the path of a property', 'Full text indexes properties.');
  return {
    collection,
    type,
    expressions,
    ...where,
    ...(written.language !== undefined && { language: written.language }),
    ignoreAccents: written.ignoreAccents ?? false,
    disableStemming: written.disableStemming ?? false,
    ...(written.stopWords && { stopWords: written.stopWords }),
  };
}
