import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { SqliteStorage } from '@edgesync/storage-sqlite';
import { seeded } from '@edgesync/test-kit';
import { openCrashSite } from '../testing/crash-site.js';
import { App, brokenBlobs, documentsOf } from './app.js';

const KILLS = 8;

it(
  'apps and server hold the same in the end when it is killed many times while they sync',
  { timeout: 240_000 },
  async () => {
    const folder = mkdtempSync(join(tmpdir(), 'edgesync-apps-'));
    await using site = await openCrashSite();
    const { port } = site;
    const kills = site.crashes(KILLS);
    const random = seeded(20_261_123);
    const apps = await Promise.all([
      App.open(folder, 'old', 3),
      App.open(folder, 'young', 4),
      App.open(folder, 'other', 4),
    ]);
    let completed = 0;
    for (let kill = 0; kill < kills; kill++) {
      await site.ready();
      for (const app of apps) await app.edit(random, kill);
      const syncs = apps.map((app) => app.sync(port));
      await new Promise((resolve) => setTimeout(resolve, 5 + random() * 250));
      await site.crash();
      for (const moved of await Promise.all(syncs)) if (moved !== undefined) completed++;
    }
    expect(completed).toBeLessThan(kills * apps.length);

    await site.ready();
    let moved = 1;
    for (let turn = 0; moved > 0; turn++) {
      if (turn > 10) throw new Error('it never comes to rest');
      moved = 0;
      for (const app of apps) moved += (await app.sync(port)) ?? Number.NaN;
      expect(moved).not.toBeNaN();
    }
    await site.stop();

    const atServer = new SqliteStorage();
    const database = await atServer.openDatabase({ name: 'db', path: site.bundle, create: false });
    expect(await database.checkIntegrity()).toEqual([]);
    const expected = await documentsOf(atServer);
    expect(Object.keys(expected).length).toBeGreaterThan(50);
    expect(await brokenBlobs(atServer)).toEqual([]);
    await atServer.close();
    for (const { storage } of apps) {
      expect(await documentsOf(storage)).toEqual(expected);
      expect(await brokenBlobs(storage)).toEqual([]);
      await storage.close();
    }
    rmSync(folder, { recursive: true });
  },
);
