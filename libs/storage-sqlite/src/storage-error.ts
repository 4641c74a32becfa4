import { closeSync, openSync } from 'node:fs';
import { devNull } from 'node:os';
import { EdgeError, isEdgeError, type ErrorCode } from '@edgesync/errors';

const BY_CODE: readonly (readonly [prefix: string, code: ErrorCode])[] = [
  ['SQLITE_FULL', 'storage.full'],
  ['ENOSPC', 'storage.full'],
  ['EDQUOT', 'storage.full'],
  // The file that readers and writers of the log share could not be made or grown.
  ['SQLITE_IOERR_SHMSIZE', 'storage.full'],
  ['EMFILE', 'storage.exhausted'],
  ['ENFILE', 'storage.exhausted'],
  ['ENOMEM', 'storage.exhausted'],
  ['SQLITE_NOMEM', 'storage.exhausted'],
  ['SQLITE_IOERR_NOMEM', 'storage.exhausted'],
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

/** The error of better-sqlite3 for a handle that was closed; it has no code. */
const CLOSED = 'The database connection is not open';

/** The error of the catalogue for an error of SQLite or the file system, which is its cause. */
export function toStorageError(error: unknown): EdgeError {
  if (isEdgeError(error)) return error;
  if (error instanceof TypeError && error.message === CLOSED) return new EdgeError('storage.closed');
  const code = errorCode(error);
  if (code.startsWith('SQLITE_CANTOPEN')) {
    // SQLite does not say why. Without descriptors nothing can be opened.
    const reason = descriptorError();
    if (reason) return new EdgeError('storage.exhausted', undefined, { cause: reason });
  }
  const known = BY_CODE.find(([prefix]) => code.startsWith(prefix));
  return new EdgeError(known?.[1] ?? 'storage.failed', undefined, { cause: error });
}

/** The error that says that no file can be opened, if it is so. */
function descriptorError(): unknown {
  try {
    closeSync(openSync(devNull, 'r'));
    return undefined;
  } catch (error) {
    return error;
  }
}

/** `code` of an error of SQLite or Node, '' if it has none. */
export function errorCode(error: unknown): string {
  const code = (error as { code?: unknown } | null)?.code;
  return typeof code === 'string' ? code : '';
}

/** Message of an error, with its code. */
export function reasonOf(error: unknown): string {
  const code = errorCode(error);
  const { message } = error as Error;
  return code === '' || message.includes(code) ? message : `${code}: ${message}`;
}
