import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { resetUuid } from './reset-uuid.js';
import { SqliteDatabase } from './sqlite-database.js';
import { temporaryDirectory } from './testing/test-storage.js';

const KEYSPACE = { database: 'plant', scope: '_default', collection: '_default' };

describe('the identity of a database', () => {
  let directory: ReturnType<typeof temporaryDirectory>;
  let path: string;
  beforeEach(() => {
    directory = temporaryDirectory();
    path = join(directory.path, 'plant.cblite2');
  });
  afterEach(() => directory.remove());

  async function openOnce(
    placeholderUuid?: string,
    now = Date.now,
  ): Promise<{ uuid: string; source: string; vector: string }> {
    const database = await SqliteDatabase.open({
      name: 'plant',
      path,
      create: true,
      now,
      ...(placeholderUuid !== undefined && { placeholderUuid }),
    });
    const { uuid, source, collections } = database.describe();
    const id = `doc${collections[0]!.documents}`;
    await database.write([{ type: 'edit', keyspace: KEYSPACE, id, deleted: false, body: '{}' }]);
    const { vector } = database.read(KEYSPACE, [id])[0]!;
    await database.close();
    return { uuid, source, vector };
  }

  it('stays the same from one start to the next', async () => {
    const { uuid } = await openOnce();
    expect((await openOnce()).uuid).toBe(uuid);
    expect((await openOnce('00000000-0000-0000-0000-000000000000')).uuid).toBe(uuid);
  });

  it('is replaced if it is the placeholder, however that is written', async () => {
    const { uuid } = await openOnce();
    const dashed = uuid.replace(/^(.{8})(.{4})(.{4})(.{4})/, '$1-$2-$3-$4-').toUpperCase();
    const replaced = await openOnce(dashed);
    expect(replaced.uuid).toMatch(/^[0-9a-f]{32}$/);
    expect(replaced.uuid).not.toBe(uuid);
    expect((await openOnce(dashed)).uuid).toBe(replaced.uuid);
  });

  it('is replaced by resetUuid; what is written from then on carries the new source', async () => {
    const before = await openOnce();
    const uuid = await resetUuid(path);
    const after = await openOnce();
    expect(after.uuid).toBe(uuid);
    expect(uuid).not.toBe(before.uuid);
    expect(before.vector.endsWith(`@${before.source}`)).toBe(true);
    expect(after.vector.endsWith(`@${after.source}`)).toBe(true);
    expect(after.source).not.toBe(before.source);
  });

  it('has a clock that begins again with it, so that a box whose clock was once far ahead recovers', async () => {
    const timeOf = (vector: string): number => Number(BigInt(`0x${vector.split('@')[0]}`) / 1_000_000n);
    const inHundredYears = Date.now() + 100 * 365 * 86_400_000;
    await openOnce(undefined, () => inHundredYears);
    expect(timeOf((await openOnce()).vector)).toBeGreaterThanOrEqual(inHundredYears - 1);
    await resetUuid(path);
    expect(timeOf((await openOnce()).vector)).toBeLessThanOrEqual(Date.now());
  });

  it('cannot be reset where there is no database', async () => {
    await expect(resetUuid(path)).rejects.toMatchObject({
      code: 'storage.missing',
      message: expect.stringContaining(path),
    });
  });
});
