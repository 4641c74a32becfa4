import { BundleError } from './bundle-error.js';

export const DATABASE_FILE = 'db.sqlite3';
export const LOG_FILE = 'db.sqlite3-wal';
export const BLOB_DIRECTORY = 'Attachments';

const MAGIC = 'SQLite format 3\0';
/** Enough of `db.sqlite3` for {@link checkHeader}. */
export const HEADER_BYTES = 100;
/** `user_version` of Couchbase Lite 1.x, of the oldest file that can be read, and of the newest known schema. */
const FIRST_OF_ONE = 100;
const LAST_OF_ONE = 149;
const OLDEST = 201;
const NEWEST = 599;

/**
 * Checks the first bytes of a database file, before SQLite opens it.
 * @throws BundleError `foreign`, `encrypted`, `damaged`
 */
export function checkHeader(bytes: Uint8Array): void {
  if (bytes.length === 0) throw new BundleError('foreign', `${DATABASE_FILE} is empty: the app never stored anything`);
  if (bytes.length < HEADER_BYTES) throw new BundleError('damaged', `${DATABASE_FILE} is cut short`);
  if (Buffer.from(bytes.subarray(0, MAGIC.length)).toString('latin1') === MAGIC) return;
  if (looksEncrypted(bytes))
    throw new BundleError(
      'encrypted',
      'the database is encrypted. Remove the encryption with an Enterprise edition of Couchbase Lite' +
        ' (Database.changeEncryptionKey(null), or cblite decrypt) and import the decrypted copy',
    );
  throw new BundleError('foreign', `${DATABASE_FILE} is not a database, or it is damaged at its start`);
}

/** Encrypted files keep the page size and the format bytes readable. */
function looksEncrypted(bytes: Uint8Array): boolean {
  const pageSize = (bytes[16]! << 8) | bytes[17]!;
  const isPageSize = pageSize === 1 || (pageSize >= 512 && (pageSize & (pageSize - 1)) === 0);
  const isFormat = (byte: number | undefined): boolean => byte === 1 || byte === 2;
  return (
    isPageSize &&
    isFormat(bytes[18]) &&
    isFormat(bytes[19]) &&
    bytes[21] === 0x40 &&
    bytes[22] === 0x20 &&
    bytes[23] === 0x20
  );
}

/**
 * Checks what SQLite says of the opened file.
 * @throws BundleError `foreign`, `too-old`, `too-new`
 */
export function checkSchema(userVersion: number, tables: readonly string[]): void {
  if (userVersion >= FIRST_OF_ONE && userVersion <= LAST_OF_ONE)
    throw new BundleError('too-old', 'Couchbase Lite 1.x wrote this database; upgrade it with a 2.x or 3.x app first');
  const required = ['kvmeta', 'kv_default', 'kv_info'];
  if (userVersion < OLDEST || required.some((table) => !tables.includes(table))) {
    if (userVersion > NEWEST) throw tooNew(userVersion);
    throw new BundleError('foreign', 'the SQLite file is not a Couchbase Lite database');
  }
  if (userVersion > NEWEST) throw tooNew(userVersion);
}

const tooNew = (version: number): BundleError =>
  new BundleError(
    'too-new',
    `a newer Couchbase Lite wrote this database (schema ${version}; ${NEWEST} is the newest known)`,
  );
