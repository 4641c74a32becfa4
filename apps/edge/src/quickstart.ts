import { readFileSync } from 'node:fs';
import { runUntilSignal, type RunningServer } from '@edgesync/platform';
import { startServer } from './start-server.js';

// What `npm start` runs: the example configuration, its documents loaded on the first start, and where to look.

const FOLDER = 'examples/quickstart';
const DATABASE = 'travel';

interface SampleLine {
  readonly collection: string;
  readonly id: string;
  readonly body: Record<string, unknown>;
}

async function start(): Promise<RunningServer> {
  const server = await startServer(`${FOLDER}/config.json5`);
  await loadSamples(server.url);
  console.log(tour(server.url));
  return server;
}

/** Loads every collection that was never written, as any client would. */
async function loadSamples(url: string): Promise<void> {
  const lines = readFileSync(`${FOLDER}/travel.jsonl`, 'utf8').trim().split('\n');
  const samples = lines.map((line) => JSON.parse(line) as SampleLine);
  const info = (await (await fetch(`${url}/${DATABASE}`)).json()) as {
    collections: Record<string, { update_seq: number }>;
  };
  for (const [collection, group] of Map.groupBy(samples, (sample) => sample.collection)) {
    if (info.collections[collection]?.update_seq !== 0) continue;
    const keyspace = collection === '_default' ? DATABASE : `${DATABASE}.${collection}`;
    const docs = group.map(({ id, body }) => ({ _id: id, ...body }));
    await fetch(`${url}/${keyspace}/_bulk_docs`, {
      method: 'POST',
      headers: { 'Content-Type': 'application/json' },
      body: JSON.stringify({ docs }),
    });
  }
}

function tour(url: string): string {
  return `
edgesync is serving the database "travel" at ${url}

  What is there        curl ${url}/travel
  All hotels           curl '${url}/travel.inventory.hotels/_all_docs?include_docs=true'
  One airport          curl ${url}/travel.inventory.airports/airport_kef
  Write a document     curl -X PUT ${url}/travel.crew.notes/hello -H 'Content-Type: application/json' -d '{"text":"Hello"}'
  The API to read      ${url}/_docs

  Couchbase Lite apps  ${url.replace('http', 'ws')}/travel

Stop with Ctrl-C. Your own configuration: npm start -- --config FILE
`;
}

process.exitCode = await runUntilSignal(start);
