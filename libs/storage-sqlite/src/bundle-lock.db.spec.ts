import { hostname } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { resetUuid } from './reset-uuid.js';
import { SqliteDatabase } from './sqlite-database.js';
import { startDatabaseProcess, type DatabaseProcess } from './testing/child-process.js';
import { temporaryDirectory } from './testing/test-storage.js';

describe('the lock of a bundle', () => {
  let directory: ReturnType<typeof temporaryDirectory>;
  let path: string;
  let started: DatabaseProcess[];
  beforeEach(() => {
    directory = temporaryDirectory();
    path = join(directory.path, 'plant.cblite2');
    started = [];
  });
  afterEach(async () => {
    await Promise.all(started.map(({ kill }) => kill()));
    directory.remove();
  });

  const open = () => SqliteDatabase.open({ name: 'plant', path, create: true });
  const start = (job: 'hold' | 'write'): DatabaseProcess => {
    const child = startDatabaseProcess(path, job);
    started.push(child);
    return child;
  };

  it('names the holder to a second process, and is gone when the holder is killed', async () => {
    const holder = start('hold');
    expect(await holder.lines.next()).toMatchObject({ value: 'open' });
    const refusal = open();
    await expect(refusal).rejects.toMatchObject({ code: 'storage.locked' });
    await expect(refusal).rejects.toThrow(
      `${path} is open in another process: process ${holder.child.pid} on ${hostname()}`,
    );
    await expect(resetUuid(path)).rejects.toMatchObject({ code: 'storage.locked' });

    await holder.kill();
    const database = await open();
    const second = await start('hold').lines.next();
    expect(second.value).toContain(`process ${process.pid} on ${hostname()}`);
    await database.close();
    expect(await start('hold').lines.next()).toMatchObject({ value: 'open' });
  });

  it('refuses to open a database twice in one process', async () => {
    const database = await open();
    await expect(open()).rejects.toMatchObject({ code: 'storage.locked', message: `${path} is open in this process` });
    await expect(resetUuid(join(path, '.'))).rejects.toMatchObject({ code: 'storage.locked' });
    await database.close();
    await (await open()).close();
  });

  it('everything a killed process has acknowledged is there', async () => {
    const writer = start('write');
    let acknowledged = -1;
    for await (const line of { [Symbol.asyncIterator]: () => writer.lines }) {
      if (line === 'open') continue;
      acknowledged = Number(line);
      if (acknowledged === 300) writer.child.kill('SIGKILL');
    }
    expect(acknowledged).toBeGreaterThanOrEqual(300);
    const database = await open();
    const keyspace = { database: 'plant', scope: '_default', collection: '_default' };
    const ids = Array.from({ length: acknowledged + 1 }, (_, n) => `doc${n}`);
    const documents = database.read(keyspace, ids);
    expect(documents.map((document) => document?.sequence)).toEqual(ids.map((_, n) => n + 1));
    expect(await database.checkIntegrity()).toEqual([]);
    await database.close();
  });
});
