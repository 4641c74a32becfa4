import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { startServer } from '@edgesync/edge';
import { applyDelta } from '@edgesync/document';
import { loadTranscript, transcriptNames, type TranscriptConnection } from '@edgesync/test-kit';
import { expect, it } from 'vitest';
import { deltaBases } from './known-bodies.js';
import { decodeConnection, jsonOf, profileOf, textOf, type RecordedMessage } from './recorded-messages.js';
import { RecordedServer } from './recorded-server.js';
import { Seeder } from './seeder.js';
import { type KnownBodies, type SeedRevision, serverState } from './server-state.js';

interface Task {
  readonly status: string;
  readonly error?: Record<string, unknown>;
}

const headerOf = (head: TranscriptConnection['response'], name: string): string =>
  new RegExp(`^${name}: (.*?)\\r?$`, 'im').exec(head)?.[1] ?? '';

function namesOf([first]: readonly RecordedMessage[]): readonly string[] {
  if (!first || profileOf(first) !== 'getCollections') return ['_default'];
  return (jsonOf(first) as { collections: string[] }).collections;
}

/** Revisions that the recorded client had and pushed. */
function clientRevisions(messages: readonly RecordedMessage[], known: KnownBodies): SeedRevision[] {
  return messages
    .filter((message) => message.from === 'client' && profileOf(message) === 'rev')
    .flatMap((message) => {
      const { id = '', rev = '', history = '', deleted, collection, deltaSrc } = message.properties.toRecord();
      const base = deltaSrc === undefined ? undefined : known[`${id} ${deltaSrc}`];
      if (deltaSrc !== undefined && base === undefined) return [];
      const body = base === undefined ? textOf(message) : applyDelta(base, textOf(message));
      return [{ collection: Number(collection ?? 0), id, rev, history, deleted: deleted !== undefined, body }];
    });
}

const isConflict = (name: string): boolean => name.includes('conflict');

it.each(transcriptNames())('replicates with a recorded server as a real client did: %s', async (name) => {
  const known = deltaBases();
  const folder = mkdtempSync(join(tmpdir(), 'edgesync-'));
  const connections = loadTranscript(name).connections.map((connection) => ({
    chosen: headerOf(connection.response, 'Sec-WebSocket-Protocol'),
    messages: decodeConnection(connection),
  }));
  const collections = [...new Set(['_default', ...connections.flatMap(({ messages }) => namesOf(messages))])];
  writeFileSync(
    join(folder, 'config.json'),
    JSON.stringify({
      interface: '127.0.0.1:0',
      enable_anonymous_users: true,
      logging: { console: false },
      databases: { db: { path: join(folder, 'db.cblite2'), create: true, enable_client_sync: true, collections } },
    }),
  );
  const server = await startServer(join(folder, 'config.json'));
  await using recorded = await RecordedServer.start(known);
  try {
    for (const { chosen, messages } of connections) {
      const asks = namesOf(messages);
      const state = serverState(messages, new Set(), known);
      const seeder = await Seeder.connect(`${server.url.replace('http', 'ws')}/db/_blipsync`, state, asks);
      const own = clientRevisions(messages, known);
      await seeder.push(own);
      await seeder.close();
      recorded.play({ chosen, messages });
      const task = await replicate(server.url, recorded.port, asks);
      expect(recorded.differences).toEqual([]);
      if (name === 'vv-collections-unknown') {
        expect(task.error).toMatchObject({ 'x-litecore-domain': 6, 'x-litecore-code': 404 });
        continue;
      }
      expect(task.error).toBeUndefined();
      if (isConflict(name)) continue;
      // Of several edits, written before it connects, only the last one is pushed.
      const newest = new Map(own.map(({ collection, id, rev }) => [`${collection} ${id}`, rev]));
      for (const [key, rev] of newest) expect(recorded.pushed).toContain(`${key} ${rev}`);
      await expectPulled(server.url, asks, messages);
    }
  } finally {
    await server.close();
    rmSync(folder, { recursive: true });
  }
});

async function replicate(url: string, port: number, collections: readonly string[]): Promise<Task> {
  const body = { source: 'db', target: `ws://127.0.0.1:${port}/db`, bidirectional: true, collections };
  const answer = await fetch(`${url}/_replicate`, {
    method: 'POST',
    headers: { 'Content-Type': 'application/json' },
    body: JSON.stringify(body),
  });
  const { task_id: id } = (await answer.json()) as { task_id: number };
  for (;;) {
    const task = (await (await fetch(`${url}/_replicate/${id}`)).json()) as Task;
    if (task.status === 'Stopped') return task;
    await new Promise((resolve) => setTimeout(resolve, 10));
  }
}

/** Every whole revision that the recorded server sent, and that nothing replaced later, is here under its ID. */
async function expectPulled(url: string, asks: readonly string[], messages: readonly RecordedMessage[]): Promise<void> {
  const last = new Map<string, RecordedMessage>();
  for (const message of messages)
    if (profileOf(message) === 'rev')
      last.set(`${message.properties.get('collection') ?? 0} ${message.properties.get('id')}`, message);
  for (const message of last.values()) {
    const { collection = '0', id = '', rev, deleted, deltaSrc } = message.properties.toRecord();
    if (message.from !== 'server' || deltaSrc !== undefined) continue;
    const name = asks[Number(collection)]!;
    const keyspace = name === '_default' ? 'db' : `db.${name}`;
    const answer = await fetch(`${url}/${keyspace}/${encodeURIComponent(id)}?show_cv=true`);
    if (deleted !== undefined) {
      expect(answer.status).toBe(404);
      continue;
    }
    const { _rev, _cv, _id, ...body } = (await answer.json()) as Record<string, unknown>;
    expect([_rev, _cv]).toContain(rev);
    const { _attachments: _, ...sent } = jsonOf(message) as Record<string, unknown>;
    expect(body).toEqual(sent);
  }
}
