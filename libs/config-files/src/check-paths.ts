import { accessSync, constants, statSync } from 'node:fs';
import { dirname } from 'node:path';

/** The reason why a path cannot be used, as the rest of a sentence, and the fix. */
export interface PathProblem {
  readonly problem: string;
  readonly fix: string;
}

/** Log files go into directories that exist; the server creates none. */
export function checkDirectory(directory: string): PathProblem | undefined {
  const fix = 'Create the directory before the server starts, or name another one.';
  const found = statusOf(directory);
  if (found === 'missing') return { problem: `names a directory that does not exist: ${directory}`, fix };
  if (found === 'file') return { problem: `names a file, not a directory: ${directory}`, fix };
  if (found !== 'directory') return { problem: `names ${directory}, which cannot be reached: ${found}`, fix };
  const reason = refusalOf(directory);
  return reason === undefined ? undefined : { problem: `names ${directory}, which ${reason}`, fix: PERMISSIONS };
}

/** A database is there, or can be created. What the directory holds is looked at when it is opened. */
export function checkDatabasePath(path: string, create: boolean): PathProblem | undefined {
  const found = statusOf(path);
  if (found === 'directory') return undefined;
  if (found === 'file')
    return { problem: `names a file, not a database directory: ${path}`, fix: 'Name another path.' };
  if (found !== 'missing') return { problem: `names ${path}, which cannot be reached: ${found}`, fix: PERMISSIONS };
  if (!create)
    return { problem: `names no database: there is none at ${path}`, fix: 'Set create: true, or correct the path.' };
  return checkParent(path);
}

/** The nearest directory that exists must take new entries. */
function checkParent(path: string): PathProblem | undefined {
  let parent = dirname(path);
  while (statusOf(parent) === 'missing' && dirname(parent) !== parent) parent = dirname(parent);
  const found = statusOf(parent);
  const problem = `names ${path}, which cannot be created`;
  if (found === 'file') return { problem: `${problem}: ${parent} is a file`, fix: 'Name another path.' };
  if (found !== 'directory') return { problem: `${problem}: ${parent}: ${found}`, fix: PERMISSIONS };
  const reason = refusalOf(parent);
  return reason === undefined ? undefined : { problem: `${problem}: ${parent} ${reason}`, fix: PERMISSIONS };
}

const PERMISSIONS = 'Check the path and its permissions.';

/** `directory`, `file`, `missing`, or why nobody can say. */
function statusOf(path: string): string {
  try {
    return statSync(path).isDirectory() ? 'directory' : 'file';
  } catch (error) {
    const { code, message } = error as NodeJS.ErrnoException;
    return code === 'ENOENT' ? 'missing' : code === 'ENOTDIR' ? 'a part of its path is a file' : message;
  }
}

/** Why this process cannot create files in a directory. */
function refusalOf(directory: string): string | undefined {
  try {
    accessSync(directory, constants.W_OK | constants.X_OK);
    return undefined;
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    return code === 'EROFS' ? 'is on a read-only file system' : 'does not permit this user to create files';
  }
}
