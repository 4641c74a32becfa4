import { once } from 'node:events';
import { createServer, type AddressInfo } from 'node:net';
import { networkInterfaces } from 'node:os';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { ownAddress } from './own-address.js';

const external = Object.values(networkInterfaces())
  .flatMap((addresses) => addresses ?? [])
  .filter(({ family, internal }) => family === 'IPv4' && !internal)
  .map(({ address }) => address);
const server = createServer((socket) => socket.destroy());

beforeAll(async () => {
  server.listen(0, '0.0.0.0');
  await once(server, 'listening');
});
afterAll(() => void server.close());

const at = (host: string): string => `${host}:${(server.address() as AddressInfo).port}`;

describe('the address of a worker', () => {
  it('is the one it is bound to', async () => {
    expect(await ownAddress('10.1.2.3', at('127.0.0.1'))).toBe('10.1.2.3');
  });

  it('is the one from which it reaches NATS', async () => {
    const address = external.at(-1) ?? '127.0.0.1';
    expect(await ownAddress('0.0.0.0', at(address))).toBe(address);
  });

  it.each(['127.0.0.1', 'localhost'])(
    'is not loopback where there is another one, though NATS is at %s',
    async (host) => {
      expect(await ownAddress('0.0.0.0', at(host))).toBe(external[0] ?? '127.0.0.1');
    },
  );

  it('is found without NATS, too', async () => {
    expect(await ownAddress('::', '127.0.0.1:1')).toBe(external[0] ?? '127.0.0.1');
  });
});
