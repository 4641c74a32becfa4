import { readFileSync } from 'node:fs';
import { ConfigError } from './config-error.js';

const REASONS: Record<string, string> = {
  ENOENT: 'does not exist',
  EACCES: 'may not be read by this user',
  EISDIR: 'is a directory',
};

/**
 * The bytes of a file that is needed at startup.
 * @param path where it is
 * @param file what messages call it
 * @throws ConfigError
 */
export function readBytes(path: string, file: string = path): Buffer {
  try {
    return readFileSync(path);
  } catch (error) {
    const { code, message } = error as NodeJS.ErrnoException;
    const problem = REASONS[code ?? ''] ?? `cannot be read: ${message}`;
    throw new ConfigError([{ file, path: '', problem, fix: 'Check the path and the permissions.' }]);
  }
}

/** Like {@link readBytes}, for text in UTF-8. */
export function readText(path: string, file: string): string {
  const bytes = readBytes(path, file);
  try {
    return new TextDecoder('utf-8', { fatal: true }).decode(bytes);
  } catch {
    throw new ConfigError([{ file, path: '', problem: 'is not UTF-8 text', fix: 'Save it in UTF-8.' }]);
  }
}
