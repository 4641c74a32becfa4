import { sampleDocument } from '../load/documents.js';
import { httpLoad } from '../load/http-load.js';
import { ServerProcess } from '../load/server-process.js';
import { SplitServer } from '../load/split-server.js';
import { PullingClient, push } from '../load/sync-client.js';
import { privateMb, residentMb } from '../load/usage.js';
import type { Report } from '../report.js';

const DOCUMENTS = 20_000;
const WARM = 5_000;
const ROUNDS = 4;
const CONNECTIONS = 32;
const GETS = 60_000;
/** Until a process has done what it does after its start. */
const SETTLE_MS = 5_000;

/**
 * Gateway, worker, storage and NATS as processes beside the all-in-one, on the same machine in the same minutes: the two
 * take turns, and the best of each counts. Processor time is reported, too: other load changes it least.
 */
export async function measureSplit(report: Report): Promise<void> {
  await measureMemory(report);
  await using split = await SplitServer.start();
  await using whole = await ServerProcess.start();
  const bodies = Array.from({ length: DOCUMENTS }, (_, n) =>
    new TextEncoder().encode(JSON.stringify(sampleDocument(n))),
  );
  const takeTurns = (work: Work): Promise<Turns> => measureTurns(whole, split, work);
  for (const { port } of [whole, split]) await push(port, 'warm', bodies.slice(0, WARM));

  const pushes = await takeTurns(({ port }, turn) => push(port, `turn${turn}`, bodies));
  addSync(report, 'one peer pushes', pushes);
  const since = WARM + (ROUNDS - 1) * DOCUMENTS;
  const pulls = await takeTurns(async ({ port }) => {
    const client = await PullingClient.connect(port, { since });
    await client.finished();
    if (client.received !== DOCUMENTS) throw new Error(`${client.received} documents were pulled`);
    await client.close();
  });
  addSync(report, 'one peer pulls', pulls);

  const { best, microseconds } = await takeTurns(({ port }) => getMany(port));
  report.add('Split: GET one document, all-in-one', perSecond(GETS, best.whole), '/s');
  report.add('Split: GET one document, through NATS', perSecond(GETS, best.split), '/s', { atLeast: 8_000 });
  addProcessorTime(report, 'GET one document', GETS, microseconds);
}

/** Memory of a service that is idle, and what one more service adds on the box. */
async function measureMemory(report: Report): Promise<void> {
  await using split = await SplitServer.start(['storage', 'replication', 'gateway']);
  const extra = await split.add('replication');
  await new Promise((resolve) => setTimeout(resolve, SETTLE_MS));
  for (const role of ['storage', 'gateway', 'replication'] as const)
    report.add(`Split: resident memory of ${role}, idle`, residentMb(split.service(role).pid), 'MB');
  report.add('Split: resident memory of NATS, idle', residentMb(split.natsPid), 'MB');
  report.add('Split: memory that one more worker adds', privateMb(extra.pid), 'MB', { atMost: 90 });
}

type Work = (server: { readonly port: number }, turn: number) => Promise<unknown>;
type Pair = Record<'whole' | 'split', number>;

interface Turns {
  /** Shortest times in milliseconds. */
  readonly best: Pair;
  /** Processor time of the servers in the turn that took least of it. */
  readonly microseconds: Pair;
  /** Messages through NATS in one turn of the split deployment. */
  readonly messages: number;
}

async function measureTurns(whole: ServerProcess, split: SplitServer, work: Work): Promise<Turns> {
  const best: Pair = { whole: Infinity, split: Infinity };
  const microseconds: Pair = { whole: Infinity, split: Infinity };
  let messages = 0;
  for (let turn = 0; turn < ROUNDS; turn++)
    for (const [name, server] of Object.entries({ whole, split }) as [
      'whole' | 'split',
      ServerProcess | SplitServer,
    ][]) {
      const messagesBefore = await split.messages();
      const cpuBefore = server.cpuSeconds();
      const start = performance.now();
      await work(server, turn);
      best[name] = Math.min(best[name], performance.now() - start);
      microseconds[name] = Math.min(microseconds[name], (server.cpuSeconds() - cpuBefore) * 1e6);
      if (server === split) messages += ((await split.messages()) - messagesBefore) / ROUNDS;
    }
  return { best, microseconds, messages };
}

function addSync(report: Report, what: string, { best, microseconds, messages }: Turns): void {
  report.add(`Split: ${what}, all-in-one`, perSecond(DOCUMENTS, best.whole), 'documents/s');
  report.add(`Split: ${what}, through gateway, worker, storage`, perSecond(DOCUMENTS, best.split), 'documents/s');
  const share = Math.round((best.whole / best.split) * 100);
  report.add(`Split: ${what}, share of the all-in-one`, share, '%', { atLeast: 60 });
  addProcessorTime(report, what, DOCUMENTS, microseconds);
  report.add(`Split: ${what}, documents per NATS message`, round(DOCUMENTS / messages), '');
  const trips = messages / 2 / (DOCUMENTS / 1_000);
  report.add(`Split: ${what}, round trips per 1,000 documents`, round(trips), '', { atMost: 20 });
}

function addProcessorTime(report: Report, what: string, count: number, { whole, split }: Pair): void {
  report.add(`Split: ${what}, processor time each, all-in-one`, round(whole / count), 'µs');
  report.add(`Split: ${what}, processor time each, all processes`, round(split / count), 'µs');
}

function getMany(port: number): Promise<unknown> {
  const requests = Array.from({ length: 2_000 }, (_, index) =>
    Buffer.from(`GET /db/turn0-${(index * 7) % DOCUMENTS} HTTP/1.1\r\nHost: bench\r\n\r\n`),
  );
  const next = (sequence: number): Buffer => requests[sequence % requests.length]!;
  return httpLoad({ port, connections: CONNECTIONS, requests: GETS, next, status: 200 });
}

const perSecond = (count: number, milliseconds: number): number => Math.round((count / milliseconds) * 1_000);
const round = (value: number): number => Math.round(value * 10) / 10;
