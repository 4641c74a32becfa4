import 'reflect-metadata';
import { closeSync, openSync, rmSync, writeSync } from 'node:fs';
import { dirname, join } from 'node:path';
import type { EdgeError } from '@edgesync/errors';
import { SqliteDatabase } from '../sqlite-database.js';

/**
 * A process that lacks something. It writes what happened as lines of JSON.
 *
 * `full-disk`: closes a database on a file system of its own, fills that up, opens the database again, and frees space.
 * `no-descriptors`: uses a database while no file can be opened.
 */
const [path, job] = process.argv.slice(2) as [string, 'full-disk' | 'no-descriptors'];
const keyspace = { database: 'plant', scope: '_default', collection: '_default' };

const say = (line: object): void => console.log(JSON.stringify(line));
const open = (at = path): Promise<SqliteDatabase> =>
  SqliteDatabase.open({ name: 'plant', path: at, create: true, warn: (warning) => say({ warning }) });
const read = (database: SqliteDatabase): object => ({ body: database.read(keyspace, ['doc'])[0]?.body });
const write = (database: SqliteDatabase, id: string): Promise<object> =>
  outcome(() => database.write([{ type: 'edit', keyspace, id, deleted: false, body: '{}' }]));

async function outcome(action: () => Promise<unknown>): Promise<object> {
  try {
    await action();
    return { done: true };
  } catch (error) {
    const { code, message, cause } = error as EdgeError;
    return { code, message, cause: (cause as NodeJS.ErrnoException | undefined)?.code };
  }
}

if (job === 'full-disk') await fillDisk();
else await useUpDescriptors();

async function fillDisk(): Promise<void> {
  const first = await open();
  say(await write(first, 'doc'));
  await first.close();
  const ballast = join(dirname(path), 'ballast');
  const descriptor = openSync(ballast, 'w');
  for (const size of [65_536, 1])
    try {
      for (;;) writeSync(descriptor, Buffer.alloc(size));
    } catch {
      // Not a byte more.
    }
  closeSync(descriptor);
  const again = await open();
  say(read(again));
  say(await write(again, 'more'));
  say(await outcome(() => again.putBlob(Buffer.alloc(10_000))));
  say(await outcome(() => open(join(dirname(path), 'other.cblite2'))));
  rmSync(ballast);
  say(await write(again, 'more'));
  await again.close();
}

async function useUpDescriptors(): Promise<void> {
  const database = await open();
  say(await write(database, 'doc'));
  const descriptors: number[] = [];
  try {
    for (;;) descriptors.push(openSync('/dev/null', 'r'));
  } catch {
    // None is left.
  }
  say(read(database));
  say(await outcome(() => database.putBlob(Buffer.from('blob'))));
  say(await outcome(() => open(join(dirname(path), 'other.cblite2'))));
  for (const descriptor of descriptors) closeSync(descriptor);
  say(await outcome(() => database.putBlob(Buffer.from('blob'))));
  await database.close();
}
