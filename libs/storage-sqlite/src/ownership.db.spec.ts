import { EdgeError } from '@edgesync/errors';
import { edit, DATABASE, SENSORS } from '@edgesync/ports/testing';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { SqliteStorage } from './index.js';
import { temporaryDirectory } from './testing/test-storage.js';

let directory: ReturnType<typeof temporaryDirectory>;
let storage: SqliteStorage;
let owner: boolean;

beforeEach(async () => {
  directory = temporaryDirectory();
  storage = new SqliteStorage();
  owner = true;
  await storage.openDatabase({
    name: DATABASE,
    path: `${directory.path}/plant.cblite2`,
    create: true,
    collections: [SENSORS],
    checkOwnership: () => {
      if (!owner) throw new EdgeError('storage.unavailable', 'not the owner');
    },
  });
});
afterEach(async () => {
  await storage.close();
  directory.remove();
});

it('commits nothing once the right to the database has run out', async () => {
  expect(await storage.write(DATABASE, [edit('a')])).toMatchObject([{ status: 'stored' }]);
  owner = false;
  const refused = { code: 'storage.unavailable' };
  await expect(storage.write(DATABASE, [edit('b')])).rejects.toMatchObject(refused);
  await expect(storage.saveCheckpoint(SENSORS, 'client', '', '{}')).rejects.toMatchObject(refused);
  await expect(storage.putBlob(DATABASE, Buffer.from('x'))).rejects.toMatchObject(refused);
  owner = true;
  expect(await storage.read(SENSORS, ['b'])).toEqual([undefined]);
  expect(await storage.collection(SENSORS)).toMatchObject({ documents: 1, lastSequence: 1 });
});

it('gives a database up and opens it again', async () => {
  await storage.write(DATABASE, [edit('a')]);
  await storage.closeDatabase(DATABASE);
  await expect(storage.read(SENSORS, ['a'])).rejects.toMatchObject({ code: 'keyspace.unknown' });
  await storage.openDatabase({ name: DATABASE, path: `${directory.path}/plant.cblite2`, create: false });
  expect(await storage.read(SENSORS, ['a'])).toMatchObject([{ id: 'a' }]);
});
