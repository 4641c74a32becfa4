import { EdgeError, isEdgeError, type ErrorCode } from '@edgesync/errors';

const BY_CODE: readonly (readonly [prefix: string, code: ErrorCode])[] = [
  ['SQLITE_FULL', 'storage.full'],
  ['ENOSPC', 'storage.full'],
  ['EDQUOT', 'storage.full'],
  ['SQLITE_READONLY', 'storage.read-only'],
  ['SQLITE_CANTOPEN', 'storage.read-only'],
  ['SQLITE_PERM', 'storage.read-only'],
  ['EROFS', 'storage.read-only'],
  ['EACCES', 'storage.read-only'],
  ['EPERM', 'storage.read-only'],
  ['SQLITE_BUSY', 'storage.busy'],
  ['SQLITE_LOCKED', 'storage.busy'],
  ['SQLITE_CORRUPT', 'storage.corrupt'],
  ['SQLITE_NOTADB', 'storage.corrupt'],
];

/** What better-sqlite3 throws for a handle that was closed; it has no code. */
const CLOSED = 'The database connection is not open';

/** The catalogued fault for an error of SQLite or of the file system; anything else passes as `storage.failed`. */
export function toStorageFault(error: unknown): EdgeError {
  if (isEdgeError(error)) return error;
  if (error instanceof TypeError && error.message === CLOSED) return new EdgeError('storage.closed');
  const code = errorCode(error);
  const known = BY_CODE.find(([prefix]) => code.startsWith(prefix));
  return new EdgeError(known?.[1] ?? 'storage.failed', undefined, { cause: error });
}

/** `code` of an error of SQLite or Node, '' if it has none. */
export function errorCode(error: unknown): string {
  const code = (error as { code?: unknown } | null)?.code;
  return typeof code === 'string' ? code : '';
}

/** What an error says, with its code. */
export function reasonOf(error: unknown): string {
  const code = errorCode(error);
  const { message } = error as Error;
  return code === '' || message.includes(code) ? message : `${code}: ${message}`;
}
