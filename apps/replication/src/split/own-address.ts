import { once } from 'node:events';
import { connect } from 'node:net';
import { networkInterfaces } from 'node:os';

const WILDCARDS = ['0.0.0.0', '::'];
/** A server that does not take a connection within this time says nothing about addresses. */
const CONNECT_MS = 2_000;

/**
 * The address at which other boxes or containers reach a port of this one: the one it is bound to; else the one from which
 * it reaches NATS, since the others are where NATS is; else the first IPv4 address of the machine that is not loopback.
 * @param nats `host:port`
 */
export async function ownAddress(boundTo: string, nats: string): Promise<string> {
  if (!WILDCARDS.includes(boundTo)) return boundTo;
  const towards = await addressTowards(nats);
  if (towards !== undefined && !/^(?:127\.|::1$)/.test(towards)) return towards;
  const addresses = Object.values(networkInterfaces()).flatMap((addresses) => addresses ?? []);
  return addresses.find(({ family, internal }) => family === 'IPv4' && !internal)?.address ?? '127.0.0.1';
}

async function addressTowards(server: string): Promise<string | undefined> {
  const colon = server.lastIndexOf(':');
  const host = server.slice(0, colon).replace(/^\[(.*)\]$/, '$1');
  const socket = connect({ host, port: Number(server.slice(colon + 1)) });
  try {
    await once(socket, 'connect', { signal: AbortSignal.timeout(CONNECT_MS) });
    return socket.localAddress?.replace(/^::ffff:/, '');
  } catch {
    return undefined;
  } finally {
    socket.on('error', () => {});
    socket.destroy();
  }
}
