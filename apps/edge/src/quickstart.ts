import { readFileSync } from 'node:fs';
import { parseArgs } from 'node:util';
import { runUntilSignal, type RunningServer } from '@edgesync/platform';
import { startServer } from './start-server.js';

// What `npm start` runs: the example configuration, its documents loaded on the first start, and where to look.

const FOLDER = 'examples/quickstart';
const DATABASE = 'travel';
/** Where the example configuration puts the database. */
const PATH = 'data/quickstart/travel.cblite2';

interface SampleLine {
  readonly collection: string;
  readonly id: string;
  readonly body: Record<string, unknown>;
}

async function start(signal: AbortSignal): Promise<RunningServer> {
  const { port, reset } = options();
  if (reset) await resetSamples();
  const server = await startServer(`${FOLDER}/config.json5`, { signal, ...(port !== undefined && { port }) });
  await loadSamples(server.url);
  console.log(tour(server.url));
  return server;
}

/** @throws Error for options that the quick start has not */
function options(): { port?: number; reset: boolean } {
  const { values } = parseArgs({ options: { port: { type: 'string' }, reset: { type: 'boolean' } } });
  const { port, reset = false } = values;
  if (port === undefined) return { reset };
  if (!/^\d{1,5}$/.test(port) || Number(port) > 65535)
    throw new Error(`--port is a number from 0 to 65535, not ${port}`);
  return { port: Number(port), reset };
}

/** Deletes everything that the quick start has stored. */
async function resetSamples(): Promise<void> {
  const { removeDatabase } = await import('@edgesync/storage-sqlite');
  console.log(
    removeDatabase(PATH) ? `Deleted ${PATH}; the samples are loaded again.` : `Nothing to delete at ${PATH}.`,
  );
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
    const response = await fetch(`${url}/${keyspace}/_bulk_docs`, {
      method: 'POST',
      headers: { 'Content-Type': 'application/json' },
      body: JSON.stringify({ docs }),
    });
    if (!response.ok) throw new Error(`the samples of ${keyspace} cannot be loaded: ${await response.text()}`);
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

Stop with Ctrl-C. Begin again with the samples: npm start -- --reset
Another port: npm start -- --port 8080      Your own configuration: npm start -- --config FILE
`;
}

process.exitCode = await runUntilSignal(start);
