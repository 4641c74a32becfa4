import { EdgeError } from '@edgesync/errors';
import { MAX_COLLECTION_NAME_LENGTH, MAX_DATABASE_NAME_BYTES } from './limits.js';

/** One collection of some database. */
export interface CollectionName {
  readonly scope: string;
  readonly collection: string;
}

/** A database, or one collection of it, as the first component of a REST path names it. */
export interface Keyspace extends CollectionName {
  readonly database: string;
}

export const DEFAULT_SCOPE = '_default';
export const DEFAULT_COLLECTION = '_default';

const COLLECTION_NAME = /^[A-Za-z0-9-][A-Za-z0-9_%-]*$/;
const PRINTABLE_ASCII = /^[\x20-\x7e]+$/;

/**
 * Reads `db`, `db.collection` or `db.scope.collection` (docs/protocol/rest.md#keyspaces).
 * @param text the first path component, percent-decoded
 * @throws EdgeError `keyspace.invalid`
 */
export function parseKeyspace(text: string): Keyspace {
  const parts = text.split('.');
  if (parts.length > 3) throw invalid('a keyspace has at most three parts: db.scope.collection');
  const database = checkDatabaseName(parts[0]!);
  if (parts.length === 1) return { database, scope: DEFAULT_SCOPE, collection: DEFAULT_COLLECTION };
  if (parts.length === 2) return { database, scope: DEFAULT_SCOPE, collection: checkCollectionPart(parts[1]!) };
  return { database, scope: checkScopeName(parts[1]!), collection: checkCollectionPart(parts[2]!) };
}

/**
 * Reads a collection of a list in the configuration or in a BLIP message: `_default`, `collection` (in the default
 * scope) or `scope.collection`.
 * @throws EdgeError `keyspace.invalid`
 */
export function parseCollectionName(text: string): CollectionName {
  const parts = text.split('.');
  if (parts.length > 2) throw invalid('a collection name has at most two parts: scope.collection');
  if (parts.length === 1) return { scope: DEFAULT_SCOPE, collection: checkCollectionPart(parts[0]!) };
  return { scope: checkScopeName(parts[0]!), collection: checkCollectionPart(parts[1]!) };
}

/**
 * Returns the name if it is one that a database can be served under.
 * @throws EdgeError `keyspace.invalid`
 */
export function checkDatabaseName(name: string): string {
  if (name === '') throw invalid('the database name is empty');
  if (name.length > MAX_DATABASE_NAME_BYTES)
    throw invalid(`the database name is longer than ${MAX_DATABASE_NAME_BYTES} bytes`);
  if (name.startsWith('_')) throw invalid('a database name must not start with an underscore');
  if (!PRINTABLE_ASCII.test(name)) throw invalid('a database name consists of printable ASCII characters');
  if (name.includes('.') || name.includes('/')) throw invalid('a database name must not contain "." or "/"');
  return name;
}

/**
 * Returns the name of a scope if it is well formed.
 * @throws EdgeError `keyspace.invalid`
 */
export function checkScopeName(name: string): string {
  return checkPart(name, 'scope');
}

/**
 * Returns the name of a collection, without its scope, if it is well formed.
 * @throws EdgeError `keyspace.invalid`
 */
export function checkCollectionPart(name: string): string {
  return checkPart(name, 'collection');
}

function checkPart(name: string, kind: 'scope' | 'collection'): string {
  if (name === DEFAULT_COLLECTION || (name.length <= MAX_COLLECTION_NAME_LENGTH && COLLECTION_NAME.test(name)))
    return name;
  if (name === '') throw invalid(`the ${kind} name is empty`);
  if (name.length > MAX_COLLECTION_NAME_LENGTH)
    throw invalid(`the ${kind} name is longer than ${MAX_COLLECTION_NAME_LENGTH} characters`);
  if (/^[_%]/.test(name)) throw invalid(`a ${kind} name must not start with "_" or "%"`);
  throw invalid(`a ${kind} name consists of letters, digits, "_", "-" and "%"`);
}

/** Whether this is the default collection of the default scope. */
export function isDefaultCollection({ scope, collection }: CollectionName): boolean {
  return scope === DEFAULT_SCOPE && collection === DEFAULT_COLLECTION;
}

/**
 * The name in REST replies: `_default`, otherwise always `scope.collection` (docs/protocol/rest.md#keyspaces,
 * docs/protocol/rest.md#keyspace-information).
 */
export function formatCollection(name: CollectionName): string {
  return isDefaultCollection(name) ? DEFAULT_COLLECTION : `${name.scope}.${name.collection}`;
}

/**
 * The name in BLIP messages: `_default`, `collection` in the default scope, otherwise `scope.collection`
 * (docs/protocol/replication.md#getcollections).
 */
export function formatWireCollection({ scope, collection }: CollectionName): string {
  return scope === DEFAULT_SCOPE ? collection : `${scope}.${collection}`;
}

/** A text that is equal for equal keyspaces and different for different ones; `parseKeyspace` reads it back. */
export function keyspaceKey({ database, scope, collection }: Keyspace): string {
  return `${database}.${scope}.${collection}`;
}

function invalid(reason: string): EdgeError {
  return new EdgeError('keyspace.invalid', reason);
}
