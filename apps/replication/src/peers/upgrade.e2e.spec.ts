import { connect } from 'node:net';
import { describe, expect, it } from 'vitest';
import { readUsers } from '@edgesync/config';
import { rawUpgrade, runServer } from '../testing/running-server.js';

const database = { path: '/tmp/x.cblite2', create: true };
const open = { enable_anonymous_users: true, databases: { db: { ...database, enable_client_sync: true } } };

function users(): Parameters<typeof runServer>[1] {
  // The hash of "geheim".
  const password = '$2y$05$abcdefghijklmnopqrstuuVWu8RjbNovPZWAMRdd7iqaaG0mI53Uu';
  const read = readUsers(JSON.stringify({ alice: { password } }), 'users.json');
  if (!read.ok) throw new Error('the example is faulty');
  return read.value;
}

const basic = (text: string): string => `Basic ${Buffer.from(text).toString('base64')}`;
const statusOf = (head: string): number => Number(head.split(' ')[1]);

async function statusFor(port: number, path: string, headers?: Record<string, string>): Promise<number> {
  const { head, socket } = await rawUpgrade(port, path, headers);
  socket.destroy();
  return statusOf(head);
}

describe('the upgrade', () => {
  // docs/protocol/connection.md#upgrade-reply, docs/protocol/connection.md#messages
  it('answers with exactly the headers that Couchbase Lite checks, and no extension', async () => {
    await using server = await runServer(open);
    const { head, socket } = await rawUpgrade(server.port, '/db/_blipsync', {
      'Sec-WebSocket-Extensions': 'permessage-deflate; client_max_window_bits',
    });
    socket.destroy();
    expect(head.split('\r\n')).toEqual([
      'HTTP/1.1 101 Switching Protocols',
      'Upgrade: websocket',
      'Connection: Upgrade',
      'Sec-WebSocket-Accept: cwitCXKowBnjv85pINIbh865PUA=',
      'Sec-WebSocket-Protocol: BLIP_3+CBMobile_3',
    ]);
  });

  // docs/protocol/connection.md#sub-protocols
  it.each([
    ['BLIP_3+CBMobile_3,BLIP_3+CBMobile_2', 'BLIP_3+CBMobile_3'],
    ['BLIP_3+CBMobile_2', 'BLIP_3+CBMobile_2'],
    ['BLIP_3+CBMobile_4', 'BLIP_3+CBMobile_4'],
    ['BLIP_3+CBMobile_4,BLIP_3+CBMobile_3', 'BLIP_3+CBMobile_4'],
    ['BLIP_3+CBMobile_3, BLIP_3+CBMobile_4', 'BLIP_3+CBMobile_3'],
    ['BLIP_3+CBMobile_9 , BLIP_3+CBMobile_3', 'BLIP_3+CBMobile_3'],
  ])('of %s chooses %s', async (offer, chosen) => {
    await using server = await runServer(open);
    const { head, socket } = await rawUpgrade(server.port, '/db/_blipsync', { 'Sec-WebSocket-Protocol': offer });
    socket.destroy();
    expect(head).toContain(`Sec-WebSocket-Protocol: ${chosen}`);
  });

  // docs/protocol/connection.md#sub-protocols
  it('is refused with 400 if no sub-protocol is common', async () => {
    await using server = await runServer(open);
    expect(await statusFor(server.port, '/db/_blipsync', { 'Sec-WebSocket-Protocol': 'BLIP_3+CBMobile_9' })).toBe(400);
    expect(await statusFor(server.port, '/db/_blipsync', { 'Sec-WebSocket-Protocol': '' })).toBe(400);
  });

  it('that is refused is answered as REST answers errors: named, and not to be cached', async () => {
    await using server = await runServer(open);
    const { head, body, socket } = await rawUpgrade(server.port, '/db/_blipsync', { 'Sec-WebSocket-Protocol': 'x' });
    socket.destroy();
    expect(JSON.parse(body)).toEqual({
      status: 400,
      error: 'Invalid Request',
      reason: 'no common replication sub-protocol',
    });
    expect(head).toMatch(/^Server: CouchbaseEdgeServer\/1\.1\.0\r$/m);
    expect(head).toMatch(/^Date: \w/m);
    expect(head).toMatch(/^cache-control: no-cache, no-store, must-revalidate, private, max-age=0\r$/m);
  });

  it.each([
    [{ 'Sec-WebSocket-Version': '12' }, 'Sec-WebSocket-Version'],
    [{ 'Sec-WebSocket-Key': 'x' }, 'Sec-WebSocket-Key'],
    [{ Upgrade: 'websocket, h2c' }, 'Upgrade'],
  ])('that is no WebSocket handshake is answered in JSON too: %j', async (headers, name) => {
    await using server = await runServer(open);
    const { head, body, socket } = await rawUpgrade(server.port, '/db/_blipsync', headers);
    socket.destroy();
    expect(JSON.parse(body)).toEqual({
      status: 400,
      error: 'Invalid Request',
      reason: expect.stringMatching(`^no WebSocket handshake: .*${name}`),
    });
    expect(head).toMatch(/^Content-Type: application\/json\r$/m);
    expect(head).toMatch(/^Sec-WebSocket-Version: 13\r?$/m);
  });

  // docs/protocol/connection.md#credentials
  it('wants the credentials before anything else', async () => {
    const { enable_anonymous_users: _, ...closed } = open;
    await using server = await runServer(closed, users());
    const { head, body, socket } = await rawUpgrade(server.port, '/nothere/_blipsync');
    socket.destroy();
    expect(head).toContain('HTTP/1.1 401 Unauthorized');
    expect(head).toContain('WWW-Authenticate: Basic realm="edgesync", charset="UTF-8"');
    expect(JSON.parse(body)).toEqual({ status: 401, error: 'Unauthorized', reason: 'authentication required' });
    const credentials = { Authorization: basic('alice:geheim') };
    expect(await statusFor(server.port, '/db/_blipsync', { Authorization: basic('alice:wrong') })).toBe(401);
    expect(await statusFor(server.port, '/db/_blipsync', credentials)).toBe(101);
    expect(await statusFor(server.port, '/nothere/_blipsync', credentials)).toBe(404);
  });

  // docs/protocol/connection.md#one-time-sessions
  it('never echoes a one-time session, nor takes it for credentials', async () => {
    await using server = await runServer(open, users());
    const offer = { 'Sec-WebSocket-Protocol': 'SyncGatewaySession_0123456789abcdef,BLIP_3+CBMobile_4' };
    expect(await statusFor(server.port, '/db/_blipsync', offer)).toBe(401);
    const { head, socket } = await rawUpgrade(server.port, '/db/_blipsync', {
      ...offer,
      Authorization: basic('alice:geheim'),
    });
    socket.destroy();
    expect(head).toMatch(/Sec-WebSocket-Protocol: BLIP_3\+CBMobile_4$/m);
  });

  it('names a database, not a keyspace', async () => {
    await using server = await runServer(open);
    for (const path of ['/db.coll/_blipsync', '/db.scope.coll/_blipsync'])
      expect(await statusFor(server.port, path)).toBe(400);
    // No database is called that: a gateway does not take it for a way to sync.
    expect([400, 403]).toContain(await statusFor(server.port, '/_x/_blipsync'));
    expect(await statusFor(server.port, '/nothere/_blipsync')).toBe(404);
    expect(await statusFor(server.port, '/db/_blipsync?client=sgr2')).toBe(101);
    expect(await statusFor(server.port, '/db/_other')).toBe(403);
  });

  it.each(['http', 'https', 'ws', 'WSS'])('takes the absolute form of clients behind a proxy: %s', async (scheme) => {
    await using server = await runServer(open);
    expect(await statusFor(server.port, `${scheme}://edge:59840/db/_blipsync`)).toBe(101);
    expect(await statusFor(server.port, `${scheme}://edge:59840/db/_blipsync/?client=sgr2`)).toBe(101);
    expect(await statusFor(server.port, `${scheme}://edge:59840/nothere/_blipsync`)).toBe(404);
    expect(await statusFor(server.port, `${scheme}://edge:59840/db/_other`)).toBe(403);
  });

  it('in absolute form is for the host in it, not for the one of the Host header', async () => {
    await using server = await runServer(open);
    const statusWith = (origin: string): Promise<number> =>
      statusFor(server.port, 'http://edge:59840/db/_blipsync', { Host: 'proxy:8080', Origin: origin });
    expect(await statusWith('http://edge:59840')).toBe(101);
    expect(await statusWith('http://proxy:8080')).toBe(403);
  });

  it('takes every spelling of the path that REST takes for the same', async () => {
    await using server = await runServer(open);
    expect(await statusFor(server.port, '/d%62/%5Fblipsync')).toBe(101);
  });

  it('is refused where sync is disabled', async () => {
    await using server = await runServer({ ...open, databases: { db: database } });
    const { head, body, socket } = await rawUpgrade(server.port, '/db/_blipsync');
    socket.destroy();
    expect(head).toContain('403 Forbidden');
    expect(JSON.parse(body)).toMatchObject({ reason: 'sync is disabled for this database' });
  });

  it('is refused for a foreign origin that is not listed', async () => {
    await using server = await runServer({ ...open, cors: { origin: ['https://app.example'] } });
    expect(await statusFor(server.port, '/db/_blipsync', { Origin: 'https://evil.example' })).toBe(403);
    expect(await statusFor(server.port, '/db/_blipsync', { Origin: 'https://app.example' })).toBe(101);
    expect(await statusFor(server.port, '/db/_blipsync')).toBe(101);
  });

  it('is refused for every foreign origin where none is listed, but not for that of the server', async () => {
    await using server = await runServer(open);
    expect(await statusFor(server.port, '/db/_blipsync', { Origin: 'https://app.example' })).toBe(403);
    expect(await statusFor(server.port, '/db/_blipsync', { Origin: `http://127.0.0.1:${server.port}` })).toBe(101);
  });

  it.each([{ 'Content-Length': '38' }, { 'Transfer-Encoding': 'chunked' }, { 'Content-Length': '99999' }] as Record<
    string,
    string
  >[])('smuggles no request behind it: %j', async (headers) => {
    await using server = await runServer(open);
    const { head, body, socket } = await rawUpgrade(server.port, '/db/_blipsync', headers);
    const closed = new Promise<string>((resolve) => {
      let rest = '';
      socket.on('data', (chunk) => (rest += chunk.toString()));
      socket.on('close', () => resolve(rest));
    });
    socket.write('GET /db HTTP/1.1\r\nHost: hidden\r\n\r\n');
    expect(statusOf(head)).toBe(400);
    expect(head).toContain('Connection: close');
    expect(JSON.parse(body)).toMatchObject({ reason: 'an upgrade request has no body' });
    expect(await closed).not.toContain('HTTP/1.1');
    expect(server.sessions.list()).toEqual([]);
  });

  it('that is refused ends the connection: what comes after it is not read', async () => {
    await using server = await runServer({ ...open, enable_anonymous_users: false, users: 'users.json' }, users());
    const socket = connect(server.port, '127.0.0.1');
    let text = '';
    socket.on('data', (chunk) => (text += chunk.toString()));
    socket.on('error', () => {});
    const closed = new Promise((resolve) => socket.on('close', resolve));
    socket.write(
      'GET /db/_blipsync HTTP/1.1\r\nHost: x\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n' +
        'Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: IQrhYJP/syolmKpKaCJucA==\r\n' +
        'Sec-WebSocket-Protocol: BLIP_3+CBMobile_3\r\n\r\n' +
        'GET /db HTTP/1.1\r\nHost: x\r\n\r\n',
    );
    await closed;
    expect(text.match(/HTTP\/1\.1 \d+/g)).toEqual(['HTTP/1.1 401']);
  });
});
