import { createHash } from 'node:crypto';
import { lstatSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';

/** Every file below a path, with the digest of its content. */
export function hashDirectory(path: string): Record<string, string> {
  const digest = (file: string): string => createHash('sha256').update(readFileSync(file)).digest('hex');
  if (!lstatSync(path).isDirectory()) return { '': digest(path) };
  const names = readdirSync(path, { recursive: true, encoding: 'utf8' }).sort();
  return Object.fromEntries(
    names.map((name) => [name, lstatSync(join(path, name)).isDirectory() ? 'directory' : digest(join(path, name))]),
  );
}
