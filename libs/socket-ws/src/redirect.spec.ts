import { once } from 'node:events';
import { createServer, type IncomingHttpHeaders, type IncomingMessage } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { Duplex } from 'node:stream';
import { describe, expect, it } from 'vitest';
import { dial, WsAcceptor, type DialOptions } from './index.js';
import { redirected } from './redirect.js';

const PROTOCOL = 'BLIP_3+CBMobile_3';
const SECRETS = { Authorization: 'Basic YTpi', cookie: 'SyncGatewaySession=1', 'X-Site': 'plant 7' };

interface Answering extends AsyncDisposable {
  readonly port: number;
  readonly seen: { readonly url: string | undefined; readonly headers: IncomingHttpHeaders }[];
}

/** A server that answers upgrades with `answer`, the head of an HTTP response, or accepts them. */
async function answering(answer?: (request: IncomingMessage) => string): Promise<Answering> {
  const server = createServer();
  const acceptor = new WsAcceptor();
  const seen: Answering['seen'] = [];
  const sockets = new Set<Duplex>();
  server.on('upgrade', (request: IncomingMessage, socket: Duplex, head: Buffer) => {
    sockets.add(socket.on('error', () => {}));
    seen.push({ url: request.url, headers: request.headers });
    if (answer) socket.end(`HTTP/1.1 ${answer(request)}\r\nContent-Length: 0\r\n\r\n`);
    else void acceptor.accept(request, socket, head, PROTOCOL);
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  return {
    port: (server.address() as AddressInfo).port,
    seen,
    [Symbol.asyncDispose]: async () => {
      for (const socket of sockets) socket.destroy();
      server.close();
      await once(server, 'close');
    },
  };
}

async function connect(port: number, options: Partial<DialOptions> = {}): Promise<void> {
  const transport = await dial(`ws://127.0.0.1:${port}/db/_blipsync`, { protocols: [PROTOCOL], ...options });
  transport.terminate();
}

describe('a server that redirects', () => {
  it.each([301, 302, 303, 307, 308])('with %i is followed to another port, with credentials', async (status) => {
    await using target = await answering();
    await using first = await answering(
      () => `${status} Elsewhere\r\nLocation: http://127.0.0.1:${target.port}/db/_blipsync`,
    );
    await connect(first.port, { headers: SECRETS });
    expect(target.seen[0]!.headers).toMatchObject({
      authorization: SECRETS.Authorization,
      cookie: SECRETS.cookie,
      host: `127.0.0.1:${target.port}`,
    });
  });

  it('to another host is followed without credentials, other headers go along', async () => {
    await using target = await answering();
    await using first = await answering(
      () => `302 Found\r\nLocation: http://localhost:${target.port}/db/_blipsync\r\nSet-Cookie: a=1`,
    );
    await connect(first.port, { headers: SECRETS });
    const { headers } = target.seen[0]!;
    expect(headers).toMatchObject({ host: `localhost:${target.port}`, 'x-site': 'plant 7' });
    expect(headers).not.toHaveProperty('authorization');
    expect(headers).not.toHaveProperty('cookie');
  });

  it('back to the first host does not bring credentials back', async () => {
    await using target = await answering();
    await using between = await answering(() => `302 Found\r\nLocation: ws://127.0.0.1:${target.port}/db/_blipsync`);
    await using first = await answering(() => `302 Found\r\nLocation: ws://localhost:${between.port}/`);
    await connect(first.port, { headers: SECRETS });
    expect(target.seen[0]!.headers).not.toHaveProperty('authorization');
  });

  it('to a relative location is asked there', async () => {
    await using server: Answering = await answering(({ url }) =>
      url === '/db/_blipsync' ? '307 Elsewhere\r\nLocation: ../new/_blipsync?x=1#fragment' : '503 Later',
    );
    await expect(connect(server.port)).rejects.toMatchObject({ status: 503 });
    expect(server.seen.map(({ url }) => url)).toEqual(['/db/_blipsync', '/new/_blipsync?x=1']);
  });

  it('has its cookies stored, and those of the next URL sent there', async () => {
    await using target = await answering();
    await using first = await answering(
      () => `302 Found\r\nLocation: ws://127.0.0.1:${target.port}/x\r\nSet-Cookie: a=1\r\nSet-Cookie: b=2`,
    );
    const stored: unknown[] = [];
    const cookies = {
      header: (url: string): string => (stored.length === 0 ? '' : `from=${new URL(url).pathname}`),
      store: async (url: string, lines: readonly string[]) => void stored.push([new URL(url).pathname, lines]),
    };
    await connect(first.port, { headers: { Cookie: 'own=1' }, cookies });
    expect(stored).toEqual([['/db/_blipsync', ['a=1', 'b=2']]]);
    expect(target.seen[0]!.headers.cookie).toBe('own=1; from=/x');
  });

  it.each([
    ['nowhere', ''],
    ['to nothing', '\r\nLocation: '],
    ['to another protocol', '\r\nLocation: ftp://127.0.0.1/db'],
    ['to what is no URL', '\r\nLocation: http://'],
    ['to a bad port', '\r\nLocation: http://127.0.0.1:99999/db'],
  ])('%s is reported as an invalid redirect', async (_, location) => {
    await using server = await answering(() => `302 Found${location}`);
    await expect(connect(server.port)).rejects.toMatchObject({
      name: 'DialError',
      status: undefined,
      cause: { code: 'ERR_INVALID_REDIRECT' },
    });
  });

  it('in a circle is given up after ten redirects', async () => {
    await using server: Answering = await answering(() => '302 Found\r\nLocation: /db/_blipsync');
    await expect(connect(server.port)).rejects.toMatchObject({ cause: { code: 'ERR_TOO_MANY_REDIRECTS' } });
    expect(server.seen).toHaveLength(11);
  });

  it.each([300, 304, 305])('with %i is not followed', async (status) => {
    await using server = await answering(() => `${status} Odd\r\nLocation: http://127.0.0.1:1/`);
    await expect(connect(server.port)).rejects.toMatchObject({ status });
  });
});

describe('a hop', () => {
  const from = { url: new URL('wss://edge:4984/db/_blipsync'), headers: { ...SECRETS, Host: 'front' } };

  it('from TLS to plain text loses the credentials', () => {
    const { url, headers } = redirected(from, 'http://edge:4984/db/_blipsync');
    expect(url.href).toBe('ws://edge:4984/db/_blipsync');
    expect(headers).toEqual({ 'X-Site': 'plant 7', Host: 'front' });
  });

  it('to another port keeps credentials but not the Host header', () => {
    expect(redirected(from, 'https://edge/db/_blipsync').headers).toEqual(SECRETS);
  });

  it('takes no credentials from the location', () => {
    expect(redirected(from, 'https://u:p@other/db').url.href).toBe('wss://other/db');
  });
});
