import { existsSync, mkdirSync, mkdtempSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { beforeEach, expect, it } from 'vitest';
import { inspectDatabase, removeDatabase, SqliteStorage } from './index.js';

let path: string;
beforeEach(() => {
  path = join(mkdtempSync(join(tmpdir(), 'remove-')), 'db.cblite2');
});

it('a database is deleted with its directory, unless a process has it open', async () => {
  const storage = new SqliteStorage();
  await storage.openDatabase({ name: 'db', path, create: true });
  expect(() => removeDatabase(path)).toThrow('is open in this process');
  await storage.close();
  expect(removeDatabase(path)).toBe(true);
  expect(existsSync(path)).toBe(false);
  expect(removeDatabase(path)).toBe(false);
});

it('a directory that holds something else is neither deleted nor accepted', () => {
  mkdirSync(path);
  writeFileSync(join(path, 'letters.txt'), '');
  expect(() => removeDatabase(path)).toThrow('holds files that are no edgesync database, such as letters.txt');
  expect(() => inspectDatabase(path)).toThrow('such as letters.txt');
  expect(existsSync(join(path, 'letters.txt'))).toBe(true);
});
