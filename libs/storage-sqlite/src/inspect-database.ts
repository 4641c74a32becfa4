import { bundlePaths, inspectBundle } from './bundle.js';
import { needsCouchbaseLiteImport } from './import/import-couchbase-lite.js';

/**
 * Checks, without changing anything, that nothing in a directory keeps a database from being opened there. What an import
 * would meet is not looked at.
 * @throws EdgeError `storage.foreign` or `storage.corrupt`
 */
export function inspectDatabase(directory: string): void {
  if (!needsCouchbaseLiteImport(directory)) inspectBundle(bundlePaths(directory));
}
