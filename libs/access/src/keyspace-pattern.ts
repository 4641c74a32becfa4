import type { Keyspace } from '@edgesync/document';

export const PERMISSIONS = ['read', 'write'] as const;
export type Permission = (typeof PERMISSIONS)[number];

/** Keyspaces that a pattern covers. A part left out covers every name. */
export interface KeyspacePattern {
  readonly database?: string;
  readonly scope?: string;
  readonly collection?: string;
}

/** One entry of a user's `access` object. */
export interface AccessRule {
  readonly pattern: KeyspacePattern;
  readonly read: boolean;
  readonly write: boolean;
}

export interface Rights {
  readonly read: boolean;
  readonly write: boolean;
}

const DEFAULT = '_default';
const DATABASE = /^(?!_)[\x21-\x2d\x30-\x7e]{1,240}$/;
const COLLECTION = /^(?:_default|[A-Za-z0-9-][A-Za-z0-9_%-]{0,250})$/;

/**
 * Reads a pattern of the users file (ref 5.1): `*`, `db`, `db.*`, `db.coll`, `db.scope.coll` or `db.scope.*`.
 * @returns undefined if it is none of these
 */
export function parseKeyspacePattern(text: string): KeyspacePattern | undefined {
  if (text === '*') return {};
  const [database, first, second, ...more] = text.split('.');
  if (database === undefined || !DATABASE.test(database) || database === '*' || more.length > 0) return undefined;
  if (first === undefined) return { database, scope: DEFAULT, collection: DEFAULT };
  if (second === undefined) {
    if (first === '*') return { database };
    return COLLECTION.test(first) ? { database, scope: DEFAULT, collection: first } : undefined;
  }
  if (!COLLECTION.test(first)) return undefined;
  if (second === '*') return { database, scope: first };
  return COLLECTION.test(second) ? { database, scope: first, collection: second } : undefined;
}

/** Whether the pattern covers the keyspace. Names are case-sensitive. */
export function covers(pattern: KeyspacePattern, keyspace: Keyspace): boolean {
  return (
    (pattern.database === undefined || pattern.database === keyspace.database) &&
    (pattern.scope === undefined || pattern.scope === keyspace.scope) &&
    (pattern.collection === undefined || pattern.collection === keyspace.collection)
  );
}

/** The rights on a keyspace: the union over all rules that cover it. */
export function rightsOn(rules: readonly AccessRule[], keyspace: Keyspace): Rights {
  let read = false;
  let write = false;
  for (const rule of rules)
    if (covers(rule.pattern, keyspace)) {
      read ||= rule.read;
      write ||= rule.write;
    }
  return { read, write };
}
