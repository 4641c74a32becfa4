import { cpSync, existsSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { exportBundle, SqliteDatabase } from '@edgesync/storage-sqlite';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { EdgeSandbox } from './testing/edge-process.js';

const SAMPLES = join(import.meta.dirname, '../../../libs/cblite/fixtures/samples');
const KEYSPACE = { database: 'db', scope: '_default', collection: '_default' };

let sandbox: EdgeSandbox;
beforeEach(async () => {
  sandbox = await EdgeSandbox.create();
});
afterEach(() => sandbox[Symbol.dispose]());

const get = async (
  path: string,
): Promise<{ status: number; retryAfter: string | null; body: Record<string, unknown> }> => {
  const response = await fetch(`${sandbox.url}${path}`);
  return {
    status: response.status,
    retryAfter: response.headers.get('retry-after'),
    body: (await response.json()) as Record<string, unknown>,
  };
};
const served = (): Promise<void> => expect.poll(() => get('/db'), { timeout: 60_000 }).toMatchObject({ status: 200 });

/** A bundle as an app leaves it, at the path of the configured database. */
async function makeLargeBundle(documents: number): Promise<void> {
  const path = join(sandbox.directory, 'source.cblite2');
  const database = await SqliteDatabase.open({ name: 'db', path, create: true });
  const body = JSON.stringify({ text: 'x'.repeat(400) });
  for (let n = 0; n < documents; n += 1_000)
    await database.write(
      Array.from({ length: 1_000 }, (_, index) => ({
        type: 'edit',
        keyspace: KEYSPACE,
        id: `doc${n + index}`,
        deleted: false,
        body,
      })),
    );
  await database.close();
  await exportBundle(path, sandbox.bundle, { format: 3 });
}

describe('a configured path that holds a Couchbase Lite database', () => {
  it('is imported and served', async () => {
    cpSync(join(SAMPLES, 'sample-v4.cblite2'), sandbox.bundle, { recursive: true });
    await using _server = await sandbox.start();
    await served();
    expect((await get('/db/airline_1')).body).toMatchObject({ name: 'Airline One', edited: 2 });
  });

  it('answers 503 with the progress while it is imported, and the import survives a killed server', async () => {
    await makeLargeBundle(60_000);
    {
      await using server = await sandbox.start();
      const early = await get('/db');
      expect(early).toMatchObject({
        status: 503,
        body: { reason: expect.stringContaining('being imported') as string },
      });
      expect(early.retryAfter).not.toBeNull();
      await server.end('SIGKILL');
    }
    expect(existsSync(join(sandbox.bundle, 'edgesync.sqlite3'))).toBe(false);
    await using _server = await sandbox.start();
    await served();
    expect((await get('/db/_all_docs?limit=1')).status).toBe(200);
    expect((await get('/db/doc59999')).status).toBe(200);
  });

  it('stops the start if it is encrypted, and says what to do', async () => {
    cpSync(join(SAMPLES, 'sample-v4.cblite2'), sandbox.bundle, { recursive: true });
    const header = Buffer.alloc(8_192, 0x5a);
    header.set(Buffer.from('100002020c402020', 'hex'), 16);
    writeFileSync(join(sandbox.bundle, 'db.sqlite3'), header);
    await using server = sandbox.spawn(sandbox.configFile);
    expect(await server.exitCode()).not.toBe(0);
    expect(server.stderr).toContain('encrypted');
  });
});
