import { request as httpRequest } from 'node:http';
import { request as httpsRequest, type RequestOptions } from 'node:https';
import { connect as connectTcp, isIP } from 'node:net';
import type { Duplex } from 'node:stream';
import { connect as connectTls, type ConnectionOptions, type SecureContextOptions } from 'node:tls';

/** A connection that did not come about. */
export class DialError extends Error {
  override readonly name = 'DialError';

  constructor(
    message: string,
    /** Status of the HTTP answer, if there was one. */
    readonly status: number | undefined,
    options?: { cause?: unknown },
  ) {
    super(message, options);
  }
}

/** Certificates that a server must prove, and our own. */
export interface ClientTls extends Pick<SecureContextOptions, 'ca' | 'cert' | 'key' | 'passphrase'> {
  /** The one certificate, in DER, that the server may have. Nothing else about it is checked then, neither issuer nor name. */
  readonly pinned?: Buffer;
}

export interface ConnectOptions {
  readonly host: string;
  readonly port: number;
  readonly secure: boolean;
  readonly tls: ClientTls | undefined;
  readonly proxy: ProxyOptions | undefined;
  readonly signal: AbortSignal;
}

/** Opens the connection below a WebSocket. With TLS it is safe to send secrets once this resolves. */
export async function connect({ host, port, secure, tls, proxy, signal }: ConnectOptions): Promise<Duplex> {
  const tunnel = proxy && (await openTunnel(proxy, { host, port }, signal));
  if (!secure) return tunnel ?? connectTcp({ host, port });
  const { pinned, ...context } = tls ?? {};
  return handshake(
    {
      ...context,
      host,
      ...(tunnel ? { socket: tunnel } : { port }),
      servername: isIP(host) ? '' : host,
      rejectUnauthorized: pinned === undefined,
    },
    pinned,
    signal,
  );
}

function handshake(options: ConnectionOptions, pinned: Buffer | undefined, signal: AbortSignal): Promise<Duplex> {
  return new Promise((resolve, reject) => {
    const socket = connectTls(options);
    const abort = (): void => void socket.destroy(new Error('given up'));
    signal.addEventListener('abort', abort, { once: true });
    socket.once('error', reject);
    socket.once('close', () => reject(Object.assign(new Error('socket hang up'), { code: 'ECONNRESET' })));
    socket.once('secureConnect', () => {
      signal.removeEventListener('abort', abort);
      if (pinned && !socket.getPeerX509Certificate()?.raw.equals(pinned)) {
        socket.destroy();
        const message = 'the server’s certificate is not the pinned one';
        reject(Object.assign(new Error(message), { code: 'ERR_CERTIFICATE_NOT_PINNED' }));
        return;
      }
      socket.off('error', reject);
      resolve(socket);
    });
  });
}

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
