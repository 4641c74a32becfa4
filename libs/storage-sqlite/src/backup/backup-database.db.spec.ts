import { cpSync, existsSync, mkdirSync, readdirSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { bundlePaths } from '../bundle.js';
import { BundleLock } from '../bundle-lock.js';
import { SqliteDatabase } from '../sqlite-database.js';
import { startDatabaseProcess, type DatabaseProcess } from '../testing/child-process.js';
import { temporaryDirectory } from '../testing/test-storage.js';
import { backupDatabase } from './backup-database.js';

const KEYSPACE = { database: 'plant', scope: '_default', collection: '_default' };

let directory: ReturnType<typeof temporaryDirectory>;
let path: string;
let target: string;
beforeEach(() => {
  directory = temporaryDirectory();
  path = join(directory.path, 'plant.cblite2');
  target = join(directory.path, 'copy.cblite2');
});
afterEach(() => directory.remove());

const open = (at: string): Promise<SqliteDatabase> => SqliteDatabase.open({ name: 'plant', path: at, create: false });
const next = async ({ lines }: DatabaseProcess): Promise<string> => (await lines.next()).value as string;

/** Makes a database of one document with one blob. @returns the file of the blob */
async function createDatabase(): Promise<string> {
  const database = await SqliteDatabase.open({ name: 'plant', path, create: true });
  const { digest } = await database.putBlob(Buffer.from('blob'));
  await database.putBlob(Buffer.from('of a document that never came'));
  const body = JSON.stringify({ b: { '@type': 'blob', digest } });
  await database.write([{ type: 'edit', keyspace: KEYSPACE, id: 'doc', deleted: false, body }]);
  await database.close();
  const hex = Buffer.from(digest.slice(5), 'base64').toString('hex');
  return join(path, 'blobs', hex.slice(0, 2), hex);
}

describe('a backup of a database that another process has open', () => {
  let owner: DatabaseProcess;
  afterEach(() => owner.kill());

  it('holds what was acknowledged before it began, as it was at one moment, while writes go on', async () => {
    owner = startDatabaseProcess(path, 'write');
    expect(await next(owner)).toBe('open');
    for (let round = 0; round < 5; round++) {
      let acknowledged = 0;
      while (acknowledged < (round + 1) * 50) acknowledged = Number(await next(owner));
      const copy = join(directory.path, `copy${round}.cblite2`);
      const { documents, blobs } = await backupDatabase(path, copy);
      expect(documents).toBeGreaterThan(acknowledged);
      expect(blobs).toBe(0);
      const database = await open(copy);
      expect(await database.checkIntegrity()).toEqual([]);
      expect(database.collection(KEYSPACE)).toMatchObject({ documents, lastSequence: documents });
      await database.close();
    }
    expect(existsSync(`${path}/edgesync.sqlite3-wal`)).toBe(true);
    const last = Number(await next(owner));
    expect(Number(await next(owner))).toBe(last + 1);
  });

  it('is taken again if a blob goes while blobs are copied', async () => {
    owner = startDatabaseProcess(path, 'collect');
    expect([await next(owner), await next(owner)]).toEqual(['open', 'stored']);
    let snapshots = 0;
    const onSnapshot = async (): Promise<void> => {
      if (snapshots++ > 0) return;
      owner.child.stdin!.write('\n');
      expect(await next(owner)).toBe('collected');
    };
    expect(await backupDatabase(path, target, { onSnapshot })).toMatchObject({ documents: 0, blobs: 0 });
    expect(snapshots).toBe(2);
    const database = await open(target);
    expect(await database.checkIntegrity()).toEqual([]);
    await database.close();
  });
});

describe('a backup', () => {
  it('holds the blobs that documents refer to, and no others', async () => {
    await createDatabase();
    expect(await backupDatabase(path, target)).toMatchObject({ documents: 1, blobs: 1 });
    expect(readdirSync(directory.path).sort()).toEqual(['copy.cblite2', 'plant.cblite2']);
    const database = await open(target);
    expect(await database.checkIntegrity()).toEqual([]);
    const [revision] = database.read(KEYSPACE, ['doc']);
    const { b } = JSON.parse(revision!.body!) as { b: { digest: string } };
    const content: Uint8Array[] = [];
    for await (const chunk of database.openBlob(b.digest)!.read()) content.push(chunk);
    expect(Buffer.concat(content).toString()).toBe('blob');
    await database.close();
  });

  it('gets a UUID of its own each time it is put in place', async () => {
    await createDatabase();
    await backupDatabase(path, target);
    const uuids = new Set<string>();
    for (const place of ['a', 'b', 'plant']) {
      const restored = join(directory.path, `${place}.cblite2`);
      if (place !== 'plant') cpSync(target, restored, { recursive: true });
      const database = await open(restored);
      uuids.add(database.describe().uuid);
      await database.close();
    }
    expect(uuids.size).toBe(3);
  });

  it('of a blob whose file is lost or damaged fails, naming it, and leaves nothing', async () => {
    const file = await createDatabase();
    writeFileSync(file, 'blab');
    const digest = /blob sha1-\S+=/;
    await expect(backupDatabase(path, target)).rejects.toMatchObject({
      code: 'storage.corrupt',
      message: expect.stringMatching(digest),
    });
    rmSync(file);
    await expect(backupDatabase(path, target)).rejects.toMatchObject({
      code: 'storage.corrupt',
      message: expect.stringContaining('lacks 1 blobs that its documents refer to, such as sha1-'),
    });
    expect(readdirSync(directory.path)).toEqual(['plant.cblite2']);
  });

  it('that is interrupted leaves nothing', async () => {
    await createDatabase();
    const ending = new AbortController();
    const reason = new Error('interrupted');
    const options = { signal: ending.signal, onSnapshot: () => ending.abort(reason) };
    await expect(backupDatabase(path, target, options)).rejects.toBe(reason);
    expect(readdirSync(directory.path)).toEqual(['plant.cblite2']);
  });

  it('clears away what a killed one left, but not what another is making', async () => {
    await createDatabase();
    const unfinished = bundlePaths(`${target}.unfinished`);
    mkdirSync(unfinished.blobs, { recursive: true });
    writeFileSync(unfinished.database, 'half');
    await backupDatabase(path, target);
    expect(readdirSync(directory.path).sort()).toEqual(['copy.cblite2', 'plant.cblite2']);

    rmSync(target, { recursive: true });
    mkdirSync(unfinished.directory);
    const lock = BundleLock.acquire(unfinished);
    await expect(backupDatabase(path, target)).rejects.toMatchObject({ code: 'storage.locked' });
    lock.release();
    expect(existsSync(unfinished.directory)).toBe(true);
  });

  it('clears away nothing that no backup left, and follows no link', async () => {
    await createDatabase();
    const precious = join(directory.path, 'precious');
    const unfinished = `${target}.unfinished`;
    mkdirSync(precious);
    writeFileSync(join(precious, 'letters'), 'kept');
    symlinkSync(precious, unfinished);
    await expect(backupDatabase(path, target)).rejects.toThrow(`${unfinished} is in the way: it is no directory`);
    rmSync(unfinished);
    cpSync(precious, unfinished, { recursive: true });
    await expect(backupDatabase(path, target)).rejects.toThrow(
      `${unfinished} is in the way: no backup left letters there`,
    );
    for (const place of [precious, unfinished]) expect(readdirSync(place)).toEqual(['letters']);
    expect(existsSync(target)).toBe(false);
  });

  it('is refused before anything is made where it cannot be right', async () => {
    const refused = async (from: string, to: string): Promise<string> =>
      backupDatabase(from, to).then(
        () => 'made',
        (error: Error) => error.message,
      );
    expect(await refused(path, target)).toBe(`there is no database at ${path}`);
    await createDatabase();
    mkdirSync(target);
    expect(await refused(path, target)).toBe(`${target} exists; a backup replaces nothing`);
    expect(await refused(path, `${target}.bak`)).toBe(`${target}.bak must end in .cblite2`);
    expect(await refused(path, join(path, 'copy.cblite2'))).toBe(`${path}/copy.cblite2 lies inside the database`);
    const nowhere = join(directory.path, 'nowhere');
    expect(await refused(path, join(nowhere, 'copy.cblite2'))).toBe(`${nowhere} does not exist`);
    const database = await open(path);
    expect(await refused(path, `${directory.path}/other.cblite2`)).toBe(`${path} is open in this process`);
    await database.close();
    expect(readdirSync(directory.path).sort()).toEqual(['copy.cblite2', 'plant.cblite2']);
  });
});
