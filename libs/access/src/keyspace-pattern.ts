import {
  checkDatabaseName,
  checkScopeName,
  DEFAULT_COLLECTION,
  parseKeyspace,
  type Keyspace,
} from '@edgesync/document';
import { EdgeError } from '@edgesync/errors';

export const PERMISSIONS = ['read', 'write'] as const;
export type Permission = (typeof PERMISSIONS)[number];

/** Keyspaces that a rule covers. A part left out covers every name. */
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

/**
 * Reads a pattern of the users file (docs/protocol/edge-server.md#access-rules): `*` (every database), `db.*` (every
 * collection), `db.scope.*`, or a keyspace, which covers one collection: `db` (the default one), `db.coll`,
 * `db.scope.coll`.
 * @throws EdgeError `keyspace.invalid`
 */
export function parseKeyspacePattern(text: string): KeyspacePattern {
  if (text === '*') return {};
  if (!text.endsWith('.*')) return parseKeyspace(text);
  const [database, scope, ...more] = text.slice(0, -2).split('.');
  if (more.length > 0) throw new EdgeError('keyspace.invalid', 'a pattern has at most three parts: db.scope.*');
  checkDatabaseName(database!);
  return scope === undefined ? { database } : { database, scope: checkScopeName(scope) };
}

/** The shortest text that {@link parseKeyspacePattern} reads as the pattern. */
export function formatPattern({ database, scope, collection }: KeyspacePattern): string {
  if (database === undefined) return '*';
  if (scope === undefined) return `${database}.*`;
  if (collection === undefined) return `${database}.${scope}.*`;
  if (scope !== DEFAULT_COLLECTION) return `${database}.${scope}.${collection}`;
  return collection === DEFAULT_COLLECTION ? database : `${database}.${collection}`;
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
