import { LinkProxy } from '@edgesync/test-kit';
import { sampleDocument } from '../load/documents.js';
import { ServerProcess } from '../load/server-process.js';
import { push } from '../load/sync-client.js';
import type { Report } from '../report.js';

const DOCUMENTS = 20_000;
const SLOW_DOCUMENTS = 8_000;
const EDITS = 60;
/** A link of 100 ms round trip and 10 Mbit/s. */
const SLOW_LINK = { delayMs: 50, bytesPerSecond: 1_250_000 };

/** Replication between servers: in bulk each way, an edit over two hops, and bulk over a slow link. */
export async function measureUpstream(report: Report): Promise<void> {
  const bodies = Array.from({ length: DOCUMENTS }, (_, n) =>
    new TextEncoder().encode(JSON.stringify(sampleDocument(n))),
  );
  for (const direction of ['push', 'pull'] as const) {
    await using far = await ServerProcess.start();
    await using near = await ServerProcess.start();
    await push((direction === 'push' ? near : far).port, 'doc', bodies);
    const elapsed = await replicate(near.port, far.port, direction);
    report.add(`Upstream: ${direction} of ${DOCUMENTS} documents`, perSecond(DOCUMENTS, elapsed), 'documents/s', {
      atLeast: 8_000,
    });
    report.add(`Upstream: resident memory of the active server after it`, near.residentMb(), 'MB');
  }
  await measureTwoHops(report);
  await measureSlowLink(report, bodies.slice(0, SLOW_DOCUMENTS));
}

async function measureTwoHops(report: Report): Promise<void> {
  await using top = await ServerProcess.start();
  const to = (port: number): object => ({
    replications: [{ source: 'db', target: `ws://127.0.0.1:${port}/db`, bidirectional: true, continuous: true }],
  });
  await using middle = await ServerProcess.start({}, { ...to(top.port) });
  await using bottom = await ServerProcess.start({}, { ...to(middle.port) });
  for (const port of [middle.port, bottom.port]) await untilIdle(port);
  const times: number[] = [];
  for (let edit = 0; edit < EDITS; edit++) {
    const [from, at] = edit % 2 === 0 ? [bottom.port, top.port] : [top.port, bottom.port];
    const begin = performance.now();
    await put(from, `edit${edit}`, { edit });
    while ((await fetch(url(at, `db/edit${edit}`))).status !== 200);
    times.push(performance.now() - begin);
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
  times.sort((a, b) => a - b);
  report.add('Upstream: an edit crosses two hops, median', Math.round(times[EDITS / 2]!), 'ms', { atMost: 150 });
  report.add('Upstream: the slowest of them', Math.round(times.at(-1)!), 'ms');
}

async function measureSlowLink(report: Report, bodies: readonly Uint8Array[]): Promise<void> {
  await using far = await ServerProcess.start();
  await using near = await ServerProcess.start();
  await using link = await LinkProxy.to(far.port, SLOW_LINK);
  await push(near.port, 'doc', [...bodies]);
  const elapsed = await replicate(near.port, link.port, 'push');
  const used = link.bytesUp / ((elapsed / 1_000) * SLOW_LINK.bytesPerSecond);
  report.add('Upstream: use of a link of 100 ms and 10 Mbit/s by a push', Math.round(used * 100), '%', { atLeast: 80 });
  report.add('Upstream: documents over that link', perSecond(bodies.length, elapsed), 'documents/s');
}

/** Runs a one-shot replication of the server at `near` with the one at `far`. @returns milliseconds it took */
async function replicate(near: number, far: number, direction: 'push' | 'pull'): Promise<number> {
  const remote = `ws://127.0.0.1:${far}/db`;
  const [source, target] = direction === 'push' ? ['db', remote] : [remote, 'db'];
  const begin = performance.now();
  const answer = await fetch(url(near, '_replicate'), {
    method: 'POST',
    headers: { 'Content-Type': 'application/json' },
    body: JSON.stringify({ source, target }),
  });
  const { task_id: id } = (await answer.json()) as { task_id: number };
  for (;;) {
    const status = (await (await fetch(url(near, `_replicate/${id}`))).json()) as { status: string; error?: unknown };
    if (status.status === 'Stopped') {
      if (status.error) throw new Error(JSON.stringify(status));
      return performance.now() - begin;
    }
    await new Promise((resolve) => setTimeout(resolve, 10));
  }
}

async function untilIdle(port: number): Promise<void> {
  for (;;) {
    const tasks = (await (await fetch(url(port, '_replicate'))).json()) as { status: string }[];
    if (tasks[0]?.status === 'Idle') return;
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
}

async function put(port: number, id: string, body: object): Promise<void> {
  const answer = await fetch(url(port, `db/${id}`), {
    method: 'PUT',
    headers: { 'Content-Type': 'application/json' },
    body: JSON.stringify(body),
  });
  await answer.arrayBuffer();
}

const url = (port: number, path: string): string => `http://127.0.0.1:${port}/${path}`;

const perSecond = (count: number, milliseconds: number): number => Math.round((count / milliseconds) * 1_000);
