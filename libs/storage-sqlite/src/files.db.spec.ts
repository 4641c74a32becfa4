import { execFileSync, spawnSync } from 'node:child_process';
import { chmodSync, readdirSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { backupDatabase } from './backup/backup-database.js';
import { SqliteDatabase } from './sqlite-database.js';
import { runProgram } from './testing/child-process.js';
import { temporaryDirectory } from './testing/test-storage.js';

const KEYSPACE = { database: 'plant', scope: '_default', collection: '_default' };

let directory: ReturnType<typeof temporaryDirectory>;
let path: string;
beforeEach(() => {
  directory = temporaryDirectory();
  path = join(directory.path, 'plant.cblite2');
});
afterEach(() => directory.remove());

const open = (at = path): Promise<SqliteDatabase> => SqliteDatabase.open({ name: 'plant', path: at, create: true });

describe('a path at which no directory can be made', () => {
  it.each([
    ['/proc/plant.cblite2', '/proc/plant.cblite2 cannot be made: /proc takes no directories'],
    ['/proc/a/b/plant.cblite2', '/proc/a cannot be made: /proc takes no directories'],
  ])('%s is refused with the reason', async (at, message) => {
    await expect(open(at)).rejects.toMatchObject({ code: 'storage.failed', message });
  });

  it('inside a file is refused with the reason', async () => {
    const file = join(directory.path, 'file');
    writeFileSync(file, '');
    await expect(open(join(file, 'plant.cblite2'))).rejects.toThrow(/file\/plant\.cblite2.*ENOTDIR/);
  });
});

describe('the files of a database', () => {
  /** Everything below a directory, with its permissions. */
  function modes(of: string): Record<string, string> {
    const found: Record<string, string> = { '.': (statSync(of).mode & 0o777).toString(8) };
    for (const name of readdirSync(of, { recursive: true }) as string[])
      found[name] = (statSync(join(of, name)).mode & 0o777).toString(8);
    return found;
  }

  async function fill(database: SqliteDatabase): Promise<void> {
    const { digest } = await database.putBlob(Buffer.from('blob'));
    const body = JSON.stringify({ b: { '@type': 'blob', digest } });
    await database.write([{ type: 'edit', keyspace: KEYSPACE, id: 'doc', deleted: false, body }]);
  }

  it('and of its backup are private', async () => {
    const database = await open();
    await fill(database);
    const live = modes(path);
    await database.close();
    const copy = join(directory.path, 'copy.cblite2');
    await backupDatabase(path, copy);
    expect(Object.keys(live)).toEqual(
      expect.arrayContaining(['edgesync.sqlite3', 'edgesync.sqlite3-wal', 'edgesync.lock', 'edgesync.owner.json']),
    );
    for (const [name, mode] of [...Object.entries(live), ...Object.entries(modes(copy))])
      expect([name, mode]).toEqual([name, /^\.$|^blobs(\/..)?$|^uploads$/.test(name) ? '700' : '600']);
  });

  it('keep the permissions that the operator gave them', async () => {
    await (await open()).close();
    chmodSync(path, 0o750);
    chmodSync(join(path, 'edgesync.sqlite3'), 0o640);
    const database = await open();
    await fill(database);
    expect(modes(path)).toMatchObject({ '.': '750', 'edgesync.sqlite3': '640', 'edgesync.sqlite3-wal': '640' });
    await database.close();
  });
});

const run = (command: string, job: string): unknown[] =>
  execFileSync(
    'unshare',
    [
      '-rm',
      'sh',
      '-c',
      `${command} && exec "$@"`,
      'sh',
      process.execPath,
      ...runProgram('starved-process.ts'),
      path,
      job,
    ],
    { encoding: 'utf8' },
  )
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line) as unknown);

/** A full disk is a small file system in a mount namespace of its own; not every system allows that. */
const mountable = spawnSync('unshare', ['-rm', 'mount', '-t', 'tmpfs', 'tmpfs', '/mnt']).status === 0;

describe('a database', () => {
  it.runIf(mountable)('on a full disk opens, is read, refuses writes, and takes them when there is space', () => {
    const done = { done: true };
    const full = { code: 'storage.full' };
    expect(run(`mount -t tmpfs -o size=1m tmpfs ${directory.path}`, 'full-disk')).toEqual([
      done,
      { warning: `the disk of ${path} is full: writes fail until space is freed, backups until a restart` },
      { body: '{}' },
      expect.objectContaining({ ...full, cause: 'SQLITE_FULL' }),
      expect.objectContaining({ ...full, cause: 'ENOSPC' }),
      expect.objectContaining({
        ...full,
        message: expect.stringMatching(
          /other\.cblite2 cannot be opened: .*; free space on its file system$/,
        ) as unknown,
      }),
      done,
    ]);
  });

  it.runIf(mountable)('without file descriptors is read, and reports why nothing can be opened', () => {
    const done = { done: true };
    const exhausted = expect.objectContaining({ code: 'storage.exhausted', cause: 'EMFILE' }) as unknown;
    const lines = run('ulimit -n 200', 'no-descriptors');
    expect(lines).toEqual([
      done,
      { body: '{}' },
      exhausted,
      expect.objectContaining({ code: 'storage.exhausted' }),
      done,
    ]);
    expect(lines[3]).toMatchObject({ message: expect.stringContaining('EMFILE') as unknown });
  });
});
