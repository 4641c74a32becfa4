import { once } from 'node:events';
import { connect } from 'node:net';
import { describe, expect, it } from 'vitest';
import type { Storage } from '@edgesync/ports';
import { hashPassword } from '@edgesync/platform';
import { CheckedClient } from '../testing/checked-client.js';
import { rawExchange } from '../testing/raw-exchange.js';
import { startGateway, type TestGatewayOptions } from '../testing/start-gateway.js';

const basic = (text: string) => `Basic ${Buffer.from(text).toString('base64')}`;

async function withUsers(config: Record<string, unknown> = {}): Promise<TestGatewayOptions> {
  const password = await hashPassword('x');
  return {
    config: { users: 'users.json', enable_anonymous_users: false, ...config },
    users: {
      root: { password, roles: ['admin'] },
      operator: { password, roles: ['replicate'] },
      alice: { password },
    },
  };
}

describe('health and readiness', () => {
  it('need no credentials, and ignore wrong ones', async () => {
    await using gateway = await startGateway(await withUsers());
    const client = new CheckedClient(gateway.url);
    for (const path of ['/_health', '/_ready']) {
      const answer = await client.get(path, { headers: { authorization: 'Basic bm9ib2R5OnB3' } });
      expect([answer.status, answer.text]).toEqual([200, '{"status":"ok"}']);
      expect((await client.head(path)).status).toBe(200);
    }
    expect(gateway.audit.filter(({ id }) => id === 57347 || id === 57348)).toEqual([]);
  });

  it.each(['/_health', '/_ready'])('%s needs no credentials in absolute form either', async (path) => {
    await using gateway = await startGateway(await withUsers());
    const statusLine = async (target: string): Promise<string> => {
      const request = `GET ${target} HTTP/1.1\r\nHost: edge\r\nConnection: close\r\n\r\n`;
      return (await rawExchange(gateway.port, request)).split('\r\n')[0]!;
    };
    expect(await statusLine(`http://edge:59840${path}`)).toBe('HTTP/1.1 200 OK');
    expect(await statusLine('http://edge:59840/db')).toBe('HTTP/1.1 401 Unauthorized');
  });

  it.each(['/_Health', '/%5fhealth', '/_health/', '/_health?x', '/_ready/x', '/_metrics'])(
    '%s is no way around authentication',
    async (path) => {
      await using gateway = await startGateway(await withUsers());
      expect((await new CheckedClient(gateway.url).get(path)).status).toBe(401);
    },
  );

  it('report when a database cannot be read or written, without naming it; the process lives nevertheless', async () => {
    let broken = true;
    const wrap = (storage: Storage): Storage =>
      new Proxy(storage, {
        get: (target, name, receiver) =>
          name === 'read' && broken
            ? () => Promise.reject(new Error('disk away'))
            : (Reflect.get(target, name, receiver) as unknown),
      });
    await using gateway = await startGateway({ wrap });
    const client = new CheckedClient(gateway.url);
    const answer = await client.get('/_ready');
    expect([answer.status, answer.json.reason, answer.headers['retry-after']]).toEqual([
      503,
      'a database cannot be read or written',
      '1',
    ]);
    expect(gateway.log.filter((line) => line.includes('not ready: db cannot be used: Error: disk away'))).toHaveLength(
      1,
    );
    expect((await client.get('/_health')).status).toBe(200);
    broken = false;
    await expect.poll(async () => (await client.get('/_ready')).status, { timeout: 5_000 }).toBe(200);
  });
});

describe('metrics', () => {
  it.each([
    ['root', 200],
    ['operator', 403],
    ['alice', 403],
    [undefined, 401],
  ])('are given to %s: %i', async (name, status) => {
    await using gateway = await startGateway(await withUsers());
    const client = new CheckedClient(gateway.url, name === undefined ? {} : { authorization: basic(`${name}:x`) });
    expect((await client.get('/_metrics')).status).toBe(status);
  });

  it('are given to everybody where anonymous access is on and nothing is controlled', async () => {
    await using gateway = await startGateway();
    const answer = await new CheckedClient(gateway.url).get('/_metrics');
    expect(answer.status).toBe(200);
    expect(answer.headers['content-type']).toBe('text/plain; version=0.0.4; charset=utf-8');
  });

  it('count requests by route pattern, method and status, never by path', async () => {
    await using gateway = await startGateway();
    const client = new CheckedClient(gateway.url);
    await client.put('/db/secret-id', { n: 1 });
    for (let index = 0; index < 3; index++) await client.get('/db/secret-id');
    await client.get('/db/other-secret');
    await client.get('/nowhere/secret/x/y/z');
    const { text } = await client.get('/_metrics');
    const count = (method: string, route: string, status: number) =>
      text.match(
        new RegExp(
          `edgesync_http_request_duration_seconds_count{method="${method}",route="${route}",status="${status}"} (.*)`,
        ),
      )?.[1];
    expect(count('PUT', '/:keyspace/:docid', 201)).toBe('1');
    expect(count('GET', '/:keyspace/:docid', 200)).toBe('3');
    expect(count('GET', '/:keyspace/:docid', 404)).toBe('1');
    expect(count('GET', 'none', 404)).toBe('1');
    expect(text).not.toContain('secret');
    expect(text).toMatch(
      /edgesync_http_response_bytes_total{method="GET",route="\/:keyspace\/:docid",status="200"} [1-9]/,
    );
  });

  it('count a request as in flight until it is answered or its client is gone', async () => {
    await using gateway = await startGateway();
    const client = new CheckedClient(gateway.url);
    const inFlight = async () =>
      Number(/edgesync_http_requests_in_flight (\d+)/.exec((await client.get('/_metrics')).text)![1]);
    expect(await inFlight()).toBe(1);
    const socket = connect(gateway.port, '127.0.0.1');
    socket.write('PUT /db/x HTTP/1.1\r\nHost: x\r\nExpect: 100-continue\r\nContent-Length: 9\r\n\r\n');
    await once(socket, 'data');
    expect(await inFlight()).toBe(2);
    socket.destroy();
    await expect.poll(inFlight).toBe(1);
  });

  it('count authentications by whether the password had to be checked, and failures', async () => {
    await using gateway = await startGateway(await withUsers());
    const client = new CheckedClient(gateway.url, { authorization: basic('root:x') });
    await new CheckedClient(gateway.url).get('/db');
    for (let index = 0; index < 3; index++) await client.get('/db');
    const { text } = await client.get('/_metrics');
    expect(text).toContain('edgesync_authentications_total{cache="miss"} 1\n');
    expect(text).toContain('edgesync_authentications_total{cache="hit"} 3\n');
    expect(text).toContain('edgesync_authentication_failures_total{status="401"} 1\n');
  });
});
