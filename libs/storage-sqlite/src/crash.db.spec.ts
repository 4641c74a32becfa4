import { cpSync, existsSync, mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { EditRequest } from '@edgesync/ports';
import { APPLICATION_ID } from './bundle.js';
import { SqliteDatabase } from './sqlite-database.js';
import { hashDirectory } from './testing/directory-hash.js';
import { onEverySqlStep } from './testing/sql-steps.js';
import { temporaryDirectory } from './testing/test-storage.js';

const KEYSPACE = { database: 'plant', scope: '_default', collection: '_default' };
const edit = (id: string, parts: Partial<EditRequest> = {}): EditRequest => ({
  type: 'edit',
  keyspace: KEYSPACE,
  id,
  deleted: false,
  body: '{}',
  ...parts,
});

describe('a process that is killed between any two steps', () => {
  let directory: ReturnType<typeof temporaryDirectory>;
  let path: string;
  let copies: string[];
  beforeEach(() => {
    directory = temporaryDirectory();
    path = join(directory.path, 'plant.cblite2');
    copies = [];
  });
  afterEach(() => directory.remove());

  const open = (at = path) =>
    SqliteDatabase.open({
      name: 'plant',
      path: at,
      create: true,
      keepSuperseded: true,
      collections: [KEYSPACE, { scope: 'line1', collection: 'sensors' }],
    });

  /** Copies the bundle at every step of `action` that changed a file, or what `note` says. */
  async function recording<T>(action: () => Promise<T>, note: () => unknown = () => undefined): Promise<T> {
    const states = new Set<string>();
    let copying = false;
    const stop = onEverySqlStep(() => {
      if (copying || !existsSync(path)) return;
      copying = true;
      const state = JSON.stringify([hashDirectory(path), note()]);
      if (!states.has(state)) {
        states.add(state);
        const copy = join(directory.path, `copy${copies.length}.cblite2`);
        cpSync(path, copy, { recursive: true });
        copies.push(copy);
      }
      copying = false;
    });
    try {
      return await action();
    } finally {
      stop();
    }
  }

  it('while it creates a database leaves something that opens', async () => {
    const database = await recording(() => open());
    await database.close();
    expect(copies.length).toBeGreaterThan(10);
    for (const copy of copies) {
      const reopened = await open(copy);
      await reopened.write([edit('a')]);
      expect(reopened.describe().collections.map(({ documents }) => documents)).toEqual([1, 0]);
      expect(await reopened.checkIntegrity()).toEqual([]);
      await reopened.close();
    }
  });

  it('in the middle of the first write to the file leaves something that opens', async () => {
    mkdirSync(path);
    const file = join(path, 'edgesync.sqlite3');
    const page = Buffer.alloc(4_096);
    page.write('SQLite format 3\0', 'latin1');
    page.writeUInt16BE(4_096, 16);
    page.writeUInt32BE(APPLICATION_ID, 68);
    writeFileSync(file, page);
    // A rollback journal that says: the file was empty before. See "The Rollback Journal" in SQLite's file format.
    const journal = Buffer.alloc(512);
    Buffer.from('d9d505f920a163d7', 'hex').copy(journal);
    journal.writeUInt32BE(512, 20);
    journal.writeUInt32BE(4_096, 24);
    writeFileSync(`${file}-journal`, journal);
    const database = await open();
    await database.write([edit('a')]);
    expect(await database.checkIntegrity()).toEqual([]);
    await database.close();
    expect(existsSync(`${file}-journal`)).toBe(false);
  });

  it('while it writes and sweeps leaves every acknowledged revision and no half of another', async () => {
    const database = await open();
    const { digest } = await database.putBlob(Buffer.from('blob'));
    const body = JSON.stringify({ b: { '@type': 'blob', digest }, text: 'x'.repeat(300) });
    let done = 0;
    /** Writes acknowledged when each copy was made. */
    const acknowledged: number[] = [];
    await recording(
      async () => {
        for (let n = 0; n < 4; n++) {
          const last = database.read(KEYSPACE, ['b'])[0]?.rev;
          await database.write([
            edit(`doc${n}`),
            edit('b', { ...(last && { expect: last }), body: n === 2 ? '{}' : body }),
          ]);
          done++;
        }
        await database.sweep();
      },
      () => (acknowledged[copies.length] = done),
    );
    await database.close();
    for (const [index, copy] of copies.entries()) {
      const reopened = await open(copy);
      const { documents, lastSequence } = reopened.collection(KEYSPACE);
      const rounds = lastSequence / 2;
      expect([acknowledged[index], acknowledged[index]! + 1]).toContain(rounds);
      expect(documents).toBe(rounds === 0 ? 0 : rounds + 1);
      expect(await reopened.checkIntegrity()).toEqual([]);
      await reopened.close();
    }
    expect(new Set(acknowledged)).toEqual(new Set([0, 1, 2, 3, 4]));
  });

  it('while it closes the database leaves everything', async () => {
    const database = await open();
    await database.write([edit('a')]);
    await recording(() => database.close());
    expect(copies.length).toBeGreaterThan(0);
    for (const copy of copies) {
      const reopened = await open(copy);
      expect(reopened.collection(KEYSPACE).documents).toBe(1);
      await reopened.close();
    }
  });
});
