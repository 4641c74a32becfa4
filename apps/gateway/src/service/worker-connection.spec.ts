import { once } from 'node:events';
import { connect, createServer, type Server, type Socket } from 'node:net';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { splice } from './worker-connection.js';

/** Two ends of one TCP connection. */
interface Link {
  readonly near: Socket;
  readonly far: Socket;
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

async function link(): Promise<Link> {
  const near = connect((server.address() as { port: number }).port, '127.0.0.1');
  const [far] = (await once(server, 'connection')) as [Socket];
  for (const socket of [near, far]) socket.on('error', () => undefined);
  links.push({ near, far });
  return { near, far };
}

it('what one side sent before it ended reaches the other, and then its end', async () => {
  const [app, worker] = [await link(), await link()];
  const ended = new Promise<void>((resolve) => splice(app.near, worker.near, resolve));
  const sent = Buffer.alloc(3_000_000, 'x');
  app.far.end(sent);
  const received: Buffer[] = [];
  for await (const chunk of worker.far) received.push(chunk as Buffer);
  expect(Buffer.concat(received).equals(sent)).toBe(true);
  worker.far.destroy();
  app.far.resume();
  await ended;
});

it('a side that takes nothing does not keep the connection open when the other was closed', async () => {
  const [app, worker] = [await link(), await link()];
  const ended = new Promise<void>((resolve) => splice(app.near, worker.near, resolve, 50));
  app.far.write(Buffer.alloc(32_000_000));
  await expect.poll(() => worker.near.writableNeedDrain).toBe(true);
  app.near.destroy();
  await ended;
  expect([app.near.destroyed, worker.near.destroyed]).toEqual([true, true]);
});
