import { statSync } from 'node:fs';
import Database from 'better-sqlite3';
import { EdgeError, isEdgeError } from '@edgesync/errors';
import type { BlobFiles } from './blobs/blob-files.js';
import { hasContent } from './bundle.js';
import { errorCode, toStorageError } from './storage-error.js';

/** Files up to this size are checked whole when they are opened: about 0.1 s. */
const QUICK_CHECK_BYTES = 32 * 1_024 * 1_024;

/**
 * Refuses a damaged file before anything writes to it.
 * @throws EdgeError `storage.corrupt`
 */
export function quickCheck(file: string): void {
  if (statSync(file).size > QUICK_CHECK_BYTES) return;
  // A connection that may write folds the log into the file when it closes; one that may not leaves an empty log behind.
  const handle = new Database(file, { readonly: hasContent(`${file}-wal`), timeout: 0 });
  try {
    handle.pragma('query_only = ON');
    const result: unknown = handle.pragma('quick_check(1)', { simple: true });
    if (result !== 'ok') throw new EdgeError('storage.corrupt', `${file} is damaged: ${String(result)}`);
  } catch (error) {
    if (errorCode(error).startsWith('SQLITE_CORRUPT') || errorCode(error).startsWith('SQLITE_NOTADB'))
      throw new EdgeError('storage.corrupt', `${file} is damaged: ${(error as Error).message}`, { cause: error });
    // On a full disk the check is left out. Damage shows when it is read.
    if (!isEdgeError(toStorageError(error), 'storage.full')) throw error;
  } finally {
    handle.close();
  }
}

/** Rules that hold between the tables, each as a query for what breaks it. */
const RULES: readonly (readonly [rule: string, violations: string])[] = [
  [
    'a collection counts its live documents',
    `SELECT id FROM collections WHERE live <>
       (SELECT count(*) FROM documents WHERE collection = collections.id AND (flags & 1) = 0)`,
  ],
  [
    'no sequence is beyond the collection’s last',
    `SELECT documents.id FROM documents JOIN collections ON collections.id = collection WHERE sequence > last_sequence`,
  ],
  [
    'every document has a sequence of its own',
    `SELECT id FROM documents GROUP BY collection, sequence HAVING count(*) > 1`,
  ],
  [
    'the current revision heads the tree',
    `SELECT id FROM documents WHERE substr(tree, 1, length(rev)) <> rev OR instr(',;!#', substr(tree, length(rev) + 1, 1)) = 0`,
  ],
  ['every body is JSON', `SELECT id FROM documents WHERE NOT json_valid(body)`],
  ['every kept body is JSON', `SELECT rev FROM revisions WHERE NOT json_valid(body)`],
  [
    'references name stored bodies',
    `SELECT document FROM blob_references AS reference
     WHERE NOT EXISTS (SELECT 1 FROM documents WHERE row = document AND rev = reference.rev)
       AND NOT EXISTS (SELECT 1 FROM revisions WHERE document = reference.document AND rev = reference.rev)`,
  ],
  [
    'references name stored blobs',
    `SELECT digest FROM blob_references WHERE digest NOT IN (SELECT digest FROM blobs WHERE orphaned_at IS NULL)`,
  ],
  [
    'a blob without references is marked',
    `SELECT digest FROM blobs WHERE orphaned_at IS NULL AND digest NOT IN (SELECT digest FROM blob_references)`,
  ],
  [
    'no current revision is kept a second time',
    `SELECT revisions.rev FROM revisions JOIN documents ON documents.row = document AND documents.rev = revisions.rev`,
  ],
  [
    'kept revisions belong to a document',
    `SELECT rev FROM revisions WHERE document NOT IN (SELECT row FROM documents)`,
  ],
];

/** Reads the whole database. @returns what is broken, empty if nothing is */
export async function checkIntegrity(handle: Database.Database, blobFiles: BlobFiles): Promise<string[]> {
  const faults: string[] = [];
  // Each step meets a damaged page on its own: one that cannot be read does not hide the others.
  const rowsOf = (step: string, sql: string): unknown[][] => {
    try {
      return handle.prepare(sql).raw().all() as unknown[][];
    } catch (error) {
      if (toStorageError(error).code !== 'storage.corrupt') throw error;
      faults.push(`${step}: cannot be checked: ${(error as Error).message}`);
      return [];
    }
  };
  for (const [line] of rowsOf('pages', 'PRAGMA integrity_check')) if (line !== 'ok') faults.push(String(line));
  for (const [rule, violations] of RULES) {
    const rows = rowsOf(rule, `${violations} LIMIT 5`);
    if (rows.length > 0) faults.push(`${rule}: broken by ${rows.map(([key]) => String(key)).join(', ')}`);
  }
  for (const [digest, length] of rowsOf('blobs', 'SELECT digest, length FROM blobs') as [string, number][])
    if (!(await blobFiles.matches({ digest, length }))) faults.push(`blob ${digest} is damaged or lost`);
  return faults;
}
