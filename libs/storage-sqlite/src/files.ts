import { closeSync, existsSync, fsyncSync, mkdirSync, openSync, statSync } from 'node:fs';
import { dirname } from 'node:path';
import { EdgeError } from '@edgesync/errors';
import { errorCode, toStorageError } from './storage-error.js';

/** Databases hold what apps confide: nobody but the server's user may look into them. */
export const PRIVATE_DIRECTORY = 0o700;
export const PRIVATE_FILE = 0o600;

/**
 * Makes a private directory, and those above it, so that they are still there after a power failure. Node's own recursive
 * `mkdirSync` never returns where the system answers ENOENT for a child of an existing directory, as `/proc` does.
 * @throws EdgeError `storage.*` with the path and the reason
 */
export function makeDirectory(path: string): void {
  const found = statSync(path, { throwIfNoEntry: false });
  if (found?.isDirectory()) return;
  const parent = dirname(path);
  if (parent !== path) makeParent(parent);
  try {
    mkdirSync(path, { mode: PRIVATE_DIRECTORY });
  } catch (error) {
    if (errorCode(error) === 'EEXIST' && statSync(path).isDirectory()) return;
    throw cannotMake(path, parent, error);
  }
  syncDirectory(parent);
}

/** As the system makes directories: others may have a place there too. */
function makeParent(path: string): void {
  if (statSync(path, { throwIfNoEntry: false })) return;
  const parent = dirname(path);
  makeParent(parent);
  try {
    mkdirSync(path);
  } catch (error) {
    if (errorCode(error) === 'EEXIST') return;
    throw cannotMake(path, parent, error);
  }
  syncDirectory(parent);
}

function cannotMake(path: string, parent: string, error: unknown): EdgeError {
  const reason =
    errorCode(error) === 'ENOENT' ? `${parent} takes no directories` : (error as NodeJS.ErrnoException).message;
  return new EdgeError(toStorageError(error).code, `${path} cannot be made: ${reason}`, { cause: error });
}

/** Makes an empty private file unless there is one. */
export function makeFile(path: string): void {
  if (!existsSync(path)) closeSync(openSync(path, 'a', PRIVATE_FILE));
}

/** Makes the names in a directory durable. */
export function syncDirectory(path: string): void {
  const descriptor = openSync(path, 'r');
  try {
    fsyncSync(descriptor);
  } finally {
    closeSync(descriptor);
  }
}
