import { statSync } from 'node:fs';
import { dirname } from 'node:path';
import type { ConfigIssue, LoggingConfig } from '@edgesync/config';

/** Log files are put into directories that exist; the server makes none (ref 3.6). */
export function checkLogDirectories(logging: LoggingConfig, file: string): ConfigIssue[] {
  const issues: ConfigIssue[] = [];
  const check = (path: string, directory: string): void => {
    const problem = whatIsWrongWith(directory);
    if (problem === undefined) return;
    const fix = 'Create the directory before the server starts, or name another one.';
    issues.push({ file, path, problem: `${problem}: ${directory}`, fix });
  };
  if (logging.file) check('logging.file.dir', logging.file.dir);
  if (logging.audit?.file !== undefined) check('logging.audit.file', dirname(logging.audit.file));
  return issues;
}

function whatIsWrongWith(directory: string): string | undefined {
  try {
    return statSync(directory).isDirectory() ? undefined : 'is no directory';
  } catch (error) {
    const { code, message } = error as NodeJS.ErrnoException;
    return code === 'ENOENT' ? 'names a directory that does not exist' : `cannot be reached (${message})`;
  }
}
