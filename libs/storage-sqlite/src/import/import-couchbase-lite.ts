import { existsSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { basename, dirname, extname, join, resolve } from 'node:path';
import { DATABASE_FILE } from '@edgesync/cblite';
import { EdgeError } from '@edgesync/errors';
import { bundlePaths, hasContent, inspectBundle, type BundlePaths } from '../bundle.js';
import { BundleLock } from '../bundle-lock.js';
import { makeDirectory } from '../files.js';
import { IMPORT_DIRECTORY, importBundle, needsImport, type ImportOptions, type ImportReport } from './import-bundle.js';

/** Whether the path of a database holds a Couchbase Lite bundle that opening it will import. */
export function needsCouchbaseLiteImport(path: string): boolean {
  return needsImport(bundlePaths(resolve(path)));
}

/**
 * Imports a Couchbase Lite bundle into a new bundle of ours. An interrupted import goes on when it is repeated.
 * @param target must not exist, or hold an interrupted import of ours
 * @throws EdgeError `storage.*`, or the reason of the signal
 */
export async function importCouchbaseLite(
  source: string,
  target: string,
  options: ImportOptions = {},
): Promise<ImportReport> {
  const from = resolve(source);
  if (!existsSync(join(from, DATABASE_FILE)))
    throw new EdgeError('storage.missing', `${source} holds no Couchbase Lite database (${DATABASE_FILE})`);
  const paths = bundlePaths(resolve(target));
  if (extname(paths.directory) !== '.cblite2' || basename(paths.directory) === '.cblite2')
    throw new EdgeError('storage.failed', `${target} must end in .cblite2`);
  if (!existsSync(dirname(paths.directory))) throw new EdgeError('storage.failed', `${dirname(target)} does not exist`);
  BundleLock.refuseIfHeldHere(paths);
  if (
    paths.directory !== from &&
    existsSync(paths.directory) &&
    !isUnfinished(paths) &&
    (needsImport(paths) || inspectBundle(paths))
  )
    throw new EdgeError('storage.failed', `${target} exists; an import replaces nothing`);
  if (paths.directory === from && !needsImport(paths))
    throw new EdgeError('storage.failed', `${target} was imported already`);
  if (options.dryRun) {
    const directory = mkdtempSync(join(tmpdir(), 'edgesync-import-'));
    try {
      return await importBundle(from, bundlePaths(directory), options);
    } finally {
      rmSync(directory, { recursive: true, force: true });
    }
  }
  makeDirectory(paths.directory);
  const lock = BundleLock.acquire(paths);
  try {
    lock.sign();
    return await importBundle(from, paths, options);
  } finally {
    lock.release();
  }
}

/** Whether an import into the bundle was cut off, perhaps while its files were being moved to their places. */
function isUnfinished({ directory, database }: BundlePaths): boolean {
  return (
    existsSync(join(directory, IMPORT_DIRECTORY)) &&
    !hasContent(database) &&
    !existsSync(join(directory, DATABASE_FILE))
  );
}
