import { sampleDocument } from '../load/documents.js';
import { httpLoad } from '../load/http-load.js';
import { ServerProcess } from '../load/server-process.js';
import { SplitServer, type ServiceProcess } from '../load/split-server.js';
import { PullingClient, push } from '../load/sync-client.js';
import { privateMb, residentMb } from '../load/usage.js';
import type { Report } from '../report.js';

const DOCUMENTS = 20_000;
const WARM = 5_000;
const ROUNDS = 3;
const CONNECTIONS = 32;
const GETS = 60_000;
const WORKER_MB = 90;

/**
 * Gateway, worker, storage and NATS as processes beside the all-in-one, on the same machine in the same minutes: the two
 * take turns, and the best of each counts.
 */
export async function measureSplit(report: Report): Promise<void> {
  await measureMemory(report);
  await using split = await SplitServer.start();
  await using whole = await ServerProcess.start();
  const bodies = Array.from({ length: DOCUMENTS }, (_, n) =>
    new TextEncoder().encode(JSON.stringify(sampleDocument(n))),
  );
  for (const { port } of [whole, split]) await push(port, 'warm', bodies.slice(0, WARM));

  const servers = [whole, split];
  const pushes = await takeTurns(servers, split, ({ port }, turn) => push(port, `turn${turn}`, bodies));
  addPair(report, 'one peer pushes', pushes);
  const since = WARM + (ROUNDS - 1) * DOCUMENTS;
  const pulls = await takeTurns(servers, split, async ({ port }) => {
    const client = await PullingClient.connect(port, { since });
    await client.finished();
    if (client.received !== DOCUMENTS) throw new Error(`${client.received} documents were pulled`);
    await client.close();
  });
  addPair(report, 'one peer pulls', pulls);

  const gets = [0, 0];
  for (let turn = 0; turn < ROUNDS; turn++)
    for (const [index, { port }] of servers.entries()) gets[index] = Math.max(gets[index]!, await get(port));
  report.add('Split: GET one document, all-in-one', gets[0]!, '/s');
  report.add('Split: GET one document, through NATS', gets[1]!, '/s', { atLeast: 8_000 });
}

/** What a service takes when nothing happens, and what it takes from the box. */
async function measureMemory(report: Report): Promise<void> {
  await using split = await SplitServer.start([]);
  const services: ServiceProcess[] = [];
  for (const role of ['storage', 'replication', 'gateway', 'replication'] as const)
    services.push(await split.add(role));
  await settle();
  const [storage, worker, gateway, extra] = services as [
    ServiceProcess,
    ServiceProcess,
    ServiceProcess,
    ServiceProcess,
  ];
  report.add('Split: resident memory of storage, idle', residentMb(storage.pid), 'MB');
  report.add('Split: resident memory of a gateway, idle', residentMb(gateway.pid), 'MB');
  report.add('Split: resident memory of NATS, idle', residentMb(split.natsPid), 'MB');
  report.add('Split: resident memory of a worker, idle', residentMb(worker.pid), 'MB', { atMost: WORKER_MB });
  report.add('Split: memory that one more worker adds', privateMb(extra.pid), 'MB', { atMost: WORKER_MB });
}

interface Turns {
  /** Shortest times in milliseconds: all-in-one, split. */
  readonly best: readonly [whole: number, split: number];
  /** Messages through NATS in one turn of the split deployment, those between the turns included. */
  readonly messages: number;
}

async function takeTurns<S extends { readonly port: number }>(
  servers: readonly S[],
  split: SplitServer,
  work: (server: S, turn: number) => Promise<void>,
): Promise<Turns> {
  const best: [number, number] = [Infinity, Infinity];
  let messages = 0;
  for (let turn = 0; turn < ROUNDS; turn++)
    for (const [index, server] of servers.entries()) {
      const before = await split.messages();
      const start = performance.now();
      await work(server, turn);
      best[index] = Math.min(best[index]!, performance.now() - start);
      if (index === 1) messages += (await split.messages()) - before;
    }
  return { best, messages: messages / ROUNDS };
}

function addPair(report: Report, what: string, { best: [whole, split], messages }: Turns): void {
  report.add(`Split: ${what}, all-in-one`, perSecond(whole), 'documents/s');
  report.add(`Split: ${what}, through gateway, worker, storage`, perSecond(split), 'documents/s');
  report.add(`Split: ${what}, share of the all-in-one`, Math.round((whole / split) * 100), '%', { atLeast: 60 });
  report.add(`Split: ${what}, documents per NATS message`, round(DOCUMENTS / messages), '');
  const trips = messages / 2 / (DOCUMENTS / 1_000);
  report.add(`Split: ${what}, round trips per 1,000 documents`, round(trips), '', { atMost: 20 });
}

async function get(port: number): Promise<number> {
  const requests = Array.from({ length: 2_000 }, (_, index) =>
    Buffer.from(`GET /db/turn0-${(index * 7) % DOCUMENTS} HTTP/1.1\r\nHost: bench\r\n\r\n`),
  );
  const load = { port, connections: CONNECTIONS, next: (n: number) => requests[n % requests.length]!, status: 200 };
  return (await httpLoad({ ...load, requests: GETS })).perSecond;
}

const perSecond = (milliseconds: number): number => Math.round((DOCUMENTS / milliseconds) * 1_000);
const round = (value: number): number => Math.round(value * 10) / 10;
const settle = (): Promise<void> => new Promise((resolve) => setTimeout(resolve, 5_000));
