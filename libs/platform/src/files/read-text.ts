import { readFileSync } from 'node:fs';
import { ConfigError } from './config-error.js';

const REASONS: Record<string, string> = {
  ENOENT: 'does not exist',
  EACCES: 'may not be read by this user',
  EISDIR: 'is a directory',
};

/**
 * The text of a file that is needed at startup.
 * @param path where it is
 * @param file what messages call it
 * @throws ConfigError
 */
export function readText(path: string, file: string): string {
  try {
    return new TextDecoder('utf-8', { fatal: true }).decode(readFileSync(path));
  } catch (error) {
    const { code, message } = error as NodeJS.ErrnoException;
    const problem =
      error instanceof TypeError ? 'is not UTF-8 text' : (REASONS[code ?? ''] ?? `cannot be read: ${message}`);
    throw new ConfigError([{ file, path: '', problem, remedy: 'Check the path and the permissions.' }]);
  }
}
