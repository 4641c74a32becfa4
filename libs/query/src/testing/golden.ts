import { readFileSync } from 'node:fs';
import type { QueryContext } from '../check/context.js';
import type { CollectionName } from '../statement.js';

export type ErrorKind = 'syntax' | 'invalid' | 'noindex' | 'param' | 'runtime';

export type Outcome = { readonly rows: readonly unknown[] } | { readonly error: ErrorKind };

/** A statement with the answer of the original engine. */
export interface GoldenCase {
  readonly id: string;
  readonly topic: string;
  /** Keyspace of the request, without the database: empty, `collection` or `scope.collection`. */
  readonly ks: string;
  readonly query: string;
  readonly params?: Readonly<Record<string, unknown>>;
  readonly expect: Outcome;
  readonly order: 'exact' | 'bag';
  readonly deepbag?: boolean;
  readonly requires?: 'fts';
  /** The answer hangs on an accident of the engine: another one is no fault. */
  readonly accident?: string;
  /** Columns that the accident excuses; without these and {@link tolerateIds} it excuses all. */
  readonly tolerate?: readonly string[];
  /** Rows, by column `d`, that the accident excuses. */
  readonly tolerateIds?: readonly string[];
  /** Rows that are as good or better. */
  readonly sane?: readonly unknown[];
  /** The answer of an Edge Server where the bare engine differs. */
  readonly edge?: Outcome;
}

/** The text of a fixture of this library. */
export function readFixture(name: string): string {
  return readFileSync(new URL(`../../fixtures/${name}`, import.meta.url), 'utf8');
}

/** Lines of JSON as they are spelt. */
export function readLines(name: string): string[] {
  return readFixture(name).split('\n').filter(Boolean);
}

export function goldenCases(): GoldenCase[] {
  return readLines('cases.jsonl').map((line) => JSON.parse(line) as GoldenCase);
}

export const GOLDEN_DATA = [
  'data-people.jsonl',
  'data-mixed.jsonl',
  'data-dates.jsonl',
  'data-shop.jsonl',
  'data-text.jsonl',
];

export const GOLDEN_DATABASE = 'sqlpp';

const FULL_TEXT_INDEXES = [
  'body_fts',
  'plain_fts',
  'accent_fts',
  'nostem_fts',
  'stop_fts',
  'en_fts',
  'de_fts',
  'title_fts',
  'multi_fts',
  'tags_fts',
  'sub_fts',
  'num_fts',
];

export function collectionName(name: string): CollectionName {
  const [collection, scope = '_default'] = name.split('.').reverse();
  return { scope, collection: collection || '_default' };
}

const COLLECTIONS = [
  '_default',
  'people',
  'mixed',
  'dates',
  'text',
  'shop.customers',
  'shop.orders',
  'shop.products',
  'shop.reviews',
].map(collectionName);

/** The database of the golden cases. */
export function goldenContext(keyspace: string): QueryContext {
  return {
    database: GOLDEN_DATABASE,
    keyspace: collectionName(keyspace),
    collections: COLLECTIONS,
    fullTextIndexes: ({ collection }) => (collection === 'text' ? FULL_TEXT_INDEXES : []),
  };
}
