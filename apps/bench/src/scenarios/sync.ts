import { sampleDocument } from '../load/documents.js';
import { ServerProcess } from '../load/server-process.js';
import { PullingClient, push } from '../load/sync-client.js';
import type { Report } from '../report.js';

const DOCUMENTS = 20_000;
const PULLERS = 1_000;
const BURST = 100;

/** Sync of apps over real sockets: one peer and many, pushing and pulling, and changes that reach many waiting apps. */
export async function measureSync(report: Report, { large }: { readonly large: boolean }): Promise<void> {
  await using server = await ServerProcess.start();
  const { port } = server;
  const bodies = Array.from({ length: DOCUMENTS }, (_, n) =>
    new TextEncoder().encode(JSON.stringify(sampleDocument(n))),
  );
  await push(port, 'warm', bodies.slice(0, 5_000));

  const one = await timed(() => push(port, 'one', bodies));
  report.add('Sync: one peer pushes', perSecond(DOCUMENTS, one), 'documents/s', { atLeast: 12_000 });
  const share = bodies.slice(0, 500);
  const many = await timed(() => Promise.all(Array.from({ length: 100 }, (_, n) => push(port, `many${n}`, share))));
  report.add('Sync: 100 peers push together', perSecond(100 * share.length, many), 'documents/s', { atLeast: 12_000 });

  let pulled = 0;
  const pull = await timed(async () => {
    const client = await PullingClient.connect(port);
    await client.finished();
    pulled = client.received;
    await client.close();
  });
  report.add('Sync: one peer pulls', perSecond(pulled, pull), 'documents/s', { atLeast: 15_000 });
  report.add('Sync: resident memory after this load', server.residentMb(), 'MB');

  await measureFanOut(report);
  if (!large) return;

  for (let round = 0; round < 45; round++) await push(port, `large${round}`, bodies);
  const before = server.residentMb();
  await timed(async () => {
    const client = await PullingClient.connect(port);
    await client.finished();
    pulled = client.received;
    await client.close();
  });
  report.add(`Sync: memory that a pull of ${pulled} documents adds`, server.residentMb() - before, 'MB', {
    atMost: 100,
  });
}

async function measureFanOut(report: Report): Promise<void> {
  await using server = await ServerProcess.start();
  const { port } = server;
  const body = new TextEncoder().encode(JSON.stringify(sampleDocument(1)));
  await push(port, 'first', [body]);
  const before = server.residentMb();
  const clients: PullingClient[] = [];
  while (clients.length < PULLERS)
    clients.push(
      ...(await Promise.all(
        Array.from({ length: 50 }, () => PullingClient.connect(port, { since: 1, continuous: true })),
      )),
    );
  await Promise.all(clients.map((client) => client.finished()));
  const memory = ((server.residentMb() - before) * 1_000) / PULLERS;
  report.add(`Sync: memory of each of ${PULLERS} idle peers`, Math.round(memory), 'kB', { atMost: 150 });

  const reachAll = async (writes: number, prefix: string): Promise<number> => {
    const goal = clients.reduce((sum, { received }) => sum + received, 0) + writes * PULLERS;
    let total = goal - writes * PULLERS;
    const reached = new Promise<void>((resolve) => {
      for (const client of clients) client.onRev = () => (++total === goal ? resolve() : undefined);
    });
    return timed(async () => {
      await push(port, prefix, Array<Uint8Array>(writes).fill(body));
      await reached;
    });
  };
  await reachAll(1, 'warm');
  report.add(`Sync: a write reaches the last of ${PULLERS} apps`, Math.round(await reachAll(1, 'single')), 'ms', {
    atMost: 500,
  });
  report.add(`Sync: ${BURST} writes reach the last of them`, Math.round(await reachAll(BURST, 'burst')), 'ms', {
    atMost: 3_000,
  });
  await Promise.all(clients.map((client) => client.close()));
}

async function timed(work: () => Promise<unknown>): Promise<number> {
  const start = performance.now();
  await work();
  return performance.now() - start;
}

const perSecond = (count: number, milliseconds: number): number => Math.round((count / milliseconds) * 1_000);
