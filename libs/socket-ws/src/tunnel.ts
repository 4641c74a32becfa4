import { request as httpRequest } from 'node:http';
import { request as httpsRequest, type RequestOptions } from 'node:https';
import type { Duplex } from 'node:stream';
import type { SecureContextOptions } from 'node:tls';
import { DialError } from './dial-error.js';

/** A proxy through which connections are made with `CONNECT`. */
export interface ProxyOptions {
  /** Whether the proxy itself is reached by TLS. */
  readonly secure: boolean;
  readonly host: string;
  readonly port: number;
  /** Such as `Proxy-Authorization`. */
  readonly headers?: Readonly<Record<string, string>>;
  readonly tls?: Pick<SecureContextOptions, 'ca' | 'cert' | 'key'>;
}

/**
 * Opens a connection through a proxy.
 * @throws {DialError} with the status of a proxy that refuses
 */
export function openTunnel(
  proxy: ProxyOptions,
  { host, port }: { readonly host: string; readonly port: number },
  signal: AbortSignal,
): Promise<Duplex> {
  const authority = `${host.includes(':') ? `[${host}]` : host}:${port}`;
  const options: RequestOptions = {
    host: proxy.host,
    port: proxy.port,
    method: 'CONNECT',
    path: authority,
    headers: { Host: authority, ...proxy.headers },
    agent: false,
    signal,
    ...proxy.tls,
  };
  return new Promise((resolve, reject) => {
    const request = proxy.secure ? httpsRequest(options) : httpRequest(options);
    const refuse = (status: number | undefined, text: string | undefined): void =>
      reject(new DialError(`proxy: ${text || `status ${status}`}`, status));
    request.once('connect', ({ statusCode, statusMessage }, socket: Duplex, head: Buffer) => {
      if (statusCode === 200) {
        if (head.length > 0) socket.unshift(head);
        resolve(socket);
        return;
      }
      socket.destroy();
      refuse(statusCode, statusMessage);
    });
    request.once('response', (response) => {
      response.destroy();
      refuse(response.statusCode, response.statusMessage);
    });
    request.once('error', (error) => reject(new DialError(`proxy: ${error.message}`, undefined, { cause: error })));
    request.end();
  });
}
