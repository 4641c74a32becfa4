import { createHash } from 'node:crypto';
import { expect, it } from 'vitest';
import { RandomWriter, type Content } from '@edgesync/edge/testing';
import { SqliteDatabase } from '@edgesync/storage-sqlite';
import { seeded } from '@edgesync/test-kit';
import { openCrashSite } from '../testing/crash-site.js';

const KILLS = 20;
const WRITERS = 8;

it(
  'loses nothing acknowledged and keeps nothing half when it is killed many times while it is written',
  { timeout: 300_000 },
  async () => {
    await using site = await openCrashSite();
    const random = seeded(20_261_123);
    const url = `http://127.0.0.1:${site.port}`;
    const writers = Array.from({ length: WRITERS }, (_, index) => new RandomWriter(`w${index}`, url, seeded(index)));
    for (let kill = 0; kill < site.crashes(KILLS); kill++) {
      await site.ready();
      await reconcile(url, writers);
      const before = acknowledgedBy(writers);
      const crashed = new AbortController();
      const running = Promise.all(writers.map((writer) => writer.run(crashed.signal)));
      const target = before + 20 + Math.floor(random() * 300);
      while (acknowledgedBy(writers) < target) await new Promise((resolve) => setImmediate(resolve));
      await site.crash(expectIntact);
      crashed.abort();
      await running;
    }
    await site.ready();
    await reconcile(url, writers);
    await site.stop();
    await expectIntact(site.bundle);
  },
);

const acknowledgedBy = (writers: readonly RandomWriter[]): number =>
  writers.reduce((sum, { acknowledged }) => sum + acknowledged, 0);

async function expectIntact(bundle: string): Promise<void> {
  const database = await SqliteDatabase.open({ name: 'db', path: bundle, create: false });
  try {
    expect(await database.checkIntegrity()).toEqual([]);
  } finally {
    await database.close();
  }
}

/** Compares what is stored with what was acknowledged, and takes the outcome of unanswered requests over. */
async function reconcile(url: string, writers: readonly RandomWriter[]): Promise<void> {
  const response = await fetch(`${url}/db/_all_docs?include_docs=true`);
  const { rows } = (await response.json()) as { rows: { id: string; doc: Record<string, unknown> }[] };
  const stored = new Map(rows.map(({ id, doc }) => [id, doc]));
  const groups = new Map<string, boolean[]>();
  let expected = 0;
  for (const { documents } of writers) {
    for (const [id, known] of documents) {
      const { _id, _rev, ...content } = stored.get(id) ?? {};
      const actual: Content = stored.has(id) ? content : undefined;
      if (known.pending && !isEqual(actual, known.content)) {
        expect(actual, `${id}: neither as acknowledged nor as requested`).toEqual(known.pending.content);
        note(groups, known.pending.group, true);
      } else {
        expect(actual, `${id}: not as acknowledged`).toEqual(known.content);
        if (known.pending) note(groups, known.pending.group, false);
      }
      if (actual) expected++;
      await expectBlob(url, id, actual);
      documents.set(id, { content: actual, rev: actual ? String(_rev) : undefined, pending: undefined });
    }
  }
  expect(stored.size, 'documents nobody wrote').toBe(expected);
  for (const [group, applied] of groups) expect(new Set(applied).size, `${group} is half there`).toBe(1);
}

function note(groups: Map<string, boolean[]>, group: string, applied: boolean): void {
  groups.set(group, [...(groups.get(group) ?? []), applied]);
}

async function expectBlob(url: string, id: string, content: Content): Promise<void> {
  const blob = content?.picture as { digest: string } | undefined;
  if (!blob) return;
  const bytes = Buffer.from(await (await fetch(`${url}/db/${id}/picture`)).arrayBuffer());
  expect(`sha1-${createHash('sha1').update(bytes).digest('base64')}`, `the blob of ${id}`).toBe(blob.digest);
}

const isEqual = (a: Content, b: Content): boolean => JSON.stringify(a) === JSON.stringify(b);
