import { connect, type Socket } from 'node:net';
import type { IncomingMessage } from 'node:http';
import { HANDSHAKE_HEADER, originForm, requestedHost } from '@edgesync/platform';
import { RecycledReads } from './recycled-reads.js';

/** A worker that does not take a connection within this time is as good as gone. */
const CONNECT_MS = 2_000;
/** A box that vanished without a word is noticed by probes that begin after this silence. */
export const KEEP_ALIVE_MS = 10_000;

/** Bytes on their way from one side when that has gone have this long to reach the other. */
const LINGER_MS = 10_000;

/** Headers that are for the gateway, or that only a gateway may set. */
const WITHHELD = new Set(['authorization', 'host', HANDSHAKE_HEADER]);

/** A connection to a worker, which says nothing before it is spoken to. */
export interface WorkerConnection {
  readonly socket: Socket;
  readonly reads: RecycledReads;
}

/**
 * Opens a TCP connection.
 * @param address `host:port`
 * @throws Error if nobody takes it
 */
export function connectTo(address: string): Promise<WorkerConnection> {
  const reads = new RecycledReads();
  const colon = address.lastIndexOf(':');
  const socket = connect({
    host: address.slice(0, colon),
    port: Number(address.slice(colon + 1)),
    noDelay: true,
    keepAlive: true,
    keepAliveInitialDelay: KEEP_ALIVE_MS,
    timeout: CONNECT_MS,
    onread: reads.onread,
  });
  return new Promise((resolve, reject) => {
    const fail = (error: Error): void => {
      socket.destroy();
      reject(error);
    };
    const tooLong = (): void => fail(new Error(`${address} does not answer`));
    socket.once('error', fail).once('timeout', tooLong);
    socket.once('connect', () => {
      socket.off('error', fail).off('timeout', tooLong);
      socket.setTimeout(0);
      resolve({ socket, reads });
    });
  });
}

/** The head of a request as it came, but with the gateway's handshake in place of credentials. */
export function requestHead(request: IncomingMessage, handshake: string): Buffer {
  const { method, url = '/', rawHeaders } = request;
  const lines = [`${method} ${originForm(url)} HTTP/1.1`, `Host: ${requestedHost(request) ?? ''}`];
  for (let index = 0; index < rawHeaders.length; index += 2)
    if (!WITHHELD.has(rawHeaders[index]!.toLowerCase())) lines.push(`${rawHeaders[index]}: ${rawHeaders[index + 1]}`);
  lines.push(`${HANDSHAKE_HEADER}: ${handshake}`);
  return Buffer.from(`${lines.join('\r\n')}\r\n\r\n`, 'latin1');
}

/**
 * Lets bytes flow both ways, each side no faster than the other takes them, until one of them ends.
 * @param onEnd called once, when both are closed
 * @param linger milliseconds for the other side to take what is on its way then
 */
export function splice(client: Socket, worker: WorkerConnection, onEnd: () => void, linger = LINGER_MS): void {
  let open = 2;
  const endWith = (from: Socket, to: Socket): void => {
    from.on('error', () => to.destroy());
    from.once('close', () => {
      if (--open === 0) return onEnd();
      // Bytes on their way still arrive; then the other side notices the end of the connection.
      to.destroySoon();
      // One that hangs takes nothing.
      const cutOff = setTimeout(() => to.destroy(), linger);
      to.once('close', () => clearTimeout(cutOff));
    });
  };
  endWith(client, worker.socket);
  endWith(worker.socket, client);
  client.pipe(worker.socket);
  worker.reads.pipe(worker.socket, client);
}
