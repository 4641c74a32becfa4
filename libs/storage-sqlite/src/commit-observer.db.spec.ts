import { afterEach, beforeEach, expect, it } from 'vitest';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { SqliteDatabase } from './sqlite-database.js';

let directory: string;
beforeEach(() => void (directory = mkdtempSync(join(tmpdir(), 'observer-'))));
afterEach(() => rmSync(directory, { recursive: true, force: true }));

it('an observer receives how many writes became durable together, and the queue reports how many wait', async () => {
  const commits: [jobs: number, seconds: number][] = [];
  const database = await SqliteDatabase.open({
    name: 'db',
    path: join(directory, 'db.cblite2'),
    create: true,
    observer: { committed: (...commit) => void commits.push(commit), rolledBack: () => {} },
  });
  commits.length = 0;
  const keyspace = { database: 'db', scope: '_default', collection: '_default' };
  const writes = ['a', 'b', 'c'].map((id) =>
    database.write([{ type: 'edit', keyspace, id, deleted: false, body: '{}' }]),
  );
  expect(database.queuedWrites).toBe(3);
  await Promise.all(writes);
  expect(database.queuedWrites).toBe(0);
  expect(commits.map(([jobs]) => jobs)).toEqual([3]);
  expect(commits[0]![1]).toBeGreaterThan(0);
  await database.close();
});
