import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { connect, createServer, type Server, type Socket } from 'node:net';
import { afterEach, beforeEach, expect, it } from 'vitest';
import type { RecycledReads } from './recycled-reads.js';
import { connectTo, splice } from './worker-connection.js';

/** Two ends of one TCP connection. */
interface Link {
  readonly near: Socket;
  readonly far: Socket;
}

/** The same, opened as a gateway opens it. */
interface WorkerLink extends Link {
  readonly reads: RecycledReads;
}

let server: Server;
const links: Link[] = [];
beforeEach(async () => {
  server = createServer({ pauseOnConnect: true }).listen(0, '127.0.0.1');
  await once(server, 'listening');
});
afterEach(async () => {
  for (const { near, far } of links.splice(0)) for (const socket of [near, far]) socket.destroy();
  await once(server.close(), 'close');
});

const port = (): number => (server.address() as { port: number }).port;

async function link(): Promise<Link> {
  const near = connect(port(), '127.0.0.1');
  const [far] = (await once(server, 'connection')) as [Socket];
  return keep({ near, far });
}

async function workerLink(): Promise<WorkerLink> {
  const connection = once(server, 'connection') as Promise<[Socket]>;
  const { socket, reads } = await connectTo(`127.0.0.1:${port()}`);
  const [far] = await connection;
  return keep({ near: socket, reads, far });
}

function keep<T extends Link>(link: T): T {
  for (const socket of [link.near, link.far]) socket.on('error', () => undefined);
  links.push(link);
  return link;
}

const joined = (app: Link, { near, reads }: WorkerLink, linger?: number): Promise<void> =>
  new Promise((resolve) => splice(app.near, { socket: near, reads }, resolve, linger));

async function everything(socket: Socket): Promise<Buffer> {
  const received: Buffer[] = [];
  for await (const chunk of socket) received.push(chunk as Buffer);
  return Buffer.concat(received);
}

it.each(['app', 'worker'] as const)(
  'what the %s sent before it ended reaches the other, and then its end',
  async (side) => {
    const [app, worker] = [await link(), await workerLink()];
    const ended = joined(app, worker);
    const [from, to] = side === 'app' ? [app.far, worker.far] : [worker.far, app.far];
    const sent = randomBytes(3_000_000);
    from.end(sent);
    expect((await everything(to)).equals(sent)).toBe(true);
    to.destroy();
    from.resume();
    await ended;
  },
);

it('pieces of every size arrive in order, also when many connections share memory', async () => {
  const pairs: { readonly app: Link; readonly worker: WorkerLink }[] = [];
  while (pairs.length < 8) {
    const pair = { app: await link(), worker: await workerLink() };
    void joined(pair.app, pair.worker);
    pairs.push(pair);
  }
  const sizes = [1, 2_047, 2_048, 2_049, 70_000, 3, 65_536, 200_000, 5, 1_000_000, 2];
  await Promise.all(
    pairs.map(async ({ app, worker }) => {
      const sent = sizes.map((size) => randomBytes(size));
      const received = everything(app.far);
      for (const piece of sent) {
        const before = app.near.bytesWritten;
        worker.far.write(piece);
        // So that it is read by itself.
        await expect.poll(() => app.near.bytesWritten, { interval: 1 }).toBe(before + piece.length);
      }
      worker.far.end();
      expect((await received).equals(Buffer.concat(sent))).toBe(true);
    }),
  );
});

it('a worker is read no faster than the app takes it', async () => {
  const [app, worker] = [await link(), await workerLink()];
  void joined(app, worker);
  const sent = randomBytes(32_000_000);
  worker.far.end(sent);
  await expect.poll(() => worker.near.isPaused()).toBe(true);
  expect(app.near.writableLength).toBeLessThan(1_000_000);
  expect((await everything(app.far)).equals(sent)).toBe(true);
});

it('a side that takes nothing does not keep the connection open when the other was closed', async () => {
  const [app, worker] = [await link(), await workerLink()];
  const ended = joined(app, worker, 50);
  app.far.write(Buffer.alloc(32_000_000));
  await expect.poll(() => worker.near.writableNeedDrain).toBe(true);
  app.near.destroy();
  await ended;
  expect([app.near.destroyed, worker.near.destroyed]).toEqual([true, true]);
});
