import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { startServer, type RunningServer } from '@edgesync/edge';
import type { Transcript, TranscriptConnection } from '@edgesync/test-kit';
import { Peer } from './peer.js';
import { decodeConnection, jsonOf, profileOf, type RecordedMessage } from './recorded-messages.js';
import { replayConnection } from './replay-connection.js';
import { Seeder } from './seeder.js';
import { type KnownBodies, serverState } from './server-state.js';

/**
 * Plays a recorded conversation against a server that is started for it.
 * @param start starts a server from a configuration file
 * @throws AssertionError
 */
export async function replayTranscript(
  transcript: Transcript,
  known: KnownBodies = {},
  start: (configFile: string) => Promise<RunningServer> = startServer,
): Promise<void> {
  const folder = mkdtempSync(join(tmpdir(), 'edgesync-'));
  const connections = transcript.connections.map((connection) => ({
    offer: headerOf(connection.request, 'Sec-WebSocket-Protocol').split(','),
    chosen: headerOf(connection.response, 'Sec-WebSocket-Protocol'),
    database: /^GET \/([^/]+)\//.exec(connection.request)![1]!,
    messages: decodeConnection(connection),
  }));
  const { database } = connections[0]!;
  const collections = new Set(['_default']);
  for (const { messages } of connections)
    for (const name of serverState(messages, new Set(), known).collections) collections.add(name);
  const configFile = join(folder, 'config.json');
  const config = {
    interface: '127.0.0.1:0',
    enable_anonymous_users: true,
    logging: { console: false },
    databases: {
      [database]: {
        path: join(folder, 'db.cblite2'),
        create: true,
        enable_client_sync: true,
        collections: [...collections],
      },
    },
  };
  writeFileSync(configFile, JSON.stringify(config));
  const server = await start(configFile);
  try {
    const url = `${server.url.replace('http', 'ws')}/${database}/_blipsync`;
    const stored = new Set<string>();
    for (const [index, { offer, chosen, messages }] of connections.entries()) {
      const state = serverState(messages, stored, known);
      const asks = namesOf(messages);
      const seeder = await Seeder.connect(url, state, asks);
      await seeder.push(state.old);
      const since = new Map<number, number>();
      const versioning = subscribedAs(messages);
      for (const [collection, name] of asks.entries())
        if (state.collections.includes(name))
          since.set(collection, Math.max(0, ...(await seeder.sequences(collection, versioning)).values()));
      await seeder.push(state.backlog);
      if (index === 0) await seeder.saveCheckpoints(state.checkpoints);
      const peer = await Peer.connect(url, offer);
      // The recorded server preferred version 3 for rev trees; ours takes the client's first choice
      // (docs/protocol/connection.md#sub-protocols).
      if (offer[0] === chosen && peer.protocol !== chosen)
        throw new Error(`${peer.protocol} was chosen, not ${chosen}`);
      await replayConnection(peer, messages, { state, seeder, since, known });
      await seeder.close();
      for (const revision of [...state.old, ...state.backlog, ...[...state.live.values()].flat()])
        stored.add(`${revision.collection} ${revision.id} ${revision.rev}`);
      for (const message of messages)
        if (message.from === 'client' && profileOf(message) === 'rev')
          stored.add(
            `${message.properties.get('collection') ?? 0} ${message.properties.get('id')} ${message.properties.get('rev')}`,
          );
    }
  } finally {
    await server.close();
    rmSync(folder, { recursive: true });
  }
}

function headerOf(head: TranscriptConnection['request'], name: string): string {
  return new RegExp(`^${name}: (.*?)\\r?$`, 'im').exec(head)?.[1] ?? '';
}

function namesOf([first]: readonly RecordedMessage[]): readonly string[] {
  if (!first || profileOf(first) !== 'getCollections') return ['_default'];
  return (jsonOf(first) as { collections: string[] }).collections;
}

function subscribedAs(messages: readonly RecordedMessage[]): string {
  const subscription = messages.find((message) => profileOf(message) === 'subChanges');
  return subscription?.properties.get('versioning') ?? 'version-vectors';
}
