import type { IncomingHttpHeaders, IncomingMessage } from 'node:http';
import type { Duplex } from 'node:stream';
import { WebSocket } from 'ws';
import { connect, type ClientTls } from './connect.js';
import { DialError } from './dial-error.js';
import { systemScheduler } from './system-scheduler.js';
import { DIAL_TIMEOUT_MS, MAX_MESSAGE_BYTES } from './tuning.js';
import type { ProxyOptions } from './tunnel.js';
import { WsTransport, type WsTransportOptions } from './ws-transport.js';

export interface DialOptions extends WsTransportOptions {
  /** Offered sub-protocols, best first. */
  readonly protocols: readonly string[];
  /** Further headers of the upgrade request, such as `Authorization`. */
  readonly headers?: Readonly<Record<string, string>>;
  /** Certificates to present and to trust on `wss:`. Default: the roots of the system. */
  readonly tls?: ClientTls;
  readonly proxy?: ProxyOptions;
  /** For all of it: name look-up, proxy, TLS, upgrade. */
  readonly timeoutMs?: number;
  /** Gives up. */
  readonly signal?: AbortSignal;
  /** Told the headers of the answer that completes the upgrade. */
  readonly onUpgrade?: (headers: IncomingHttpHeaders) => void;
}

/** How much of a refusal's text is read. */
const MAX_REASON_CHARS = 1000;

/**
 * Opens a WebSocket to `ws:` or `wss:` and follows up to ten redirects.
 * @throws {DialError}
 */
export function dial(url: string, options: DialOptions): Promise<WsTransport> {
  return new Promise((resolve, reject) => {
    const ending = new AbortController();
    const socket = open(url, options, ending.signal);
    let wire: Duplex;
    const fail = (error: DialError): void => {
      settle();
      reject(error);
      ending.abort();
      socket.terminate();
    };
    const giveUp = (): void => fail(new DialError('given up', undefined));
    const cancelTimer = (options.scheduler ?? systemScheduler).schedule(options.timeoutMs ?? DIAL_TIMEOUT_MS, () =>
      fail(new DialError('the server does not answer', undefined, { cause: { code: 'ETIMEDOUT' } })),
    );
    const settle = (): void => {
      cancelTimer();
      options.signal?.removeEventListener('abort', giveUp);
    };
    socket.on('upgrade', (response) => {
      wire = response.socket;
      options.onUpgrade?.(response.headers);
    });
    socket.on('unexpected-response', (request, response) => {
      void readReason(response).then((reason) => {
        request.destroy();
        fail(new DialError(reason, response.statusCode));
      });
    });
    socket.on('error', (error) => fail(asDialError(error)));
    socket.on('open', () => {
      settle();
      resolve(new WsTransport(socket, wire, options));
    });
    options.signal?.addEventListener('abort', giveUp, { once: true });
    if (options.signal?.aborted) giveUp();
  });
}

function open(url: string, { protocols, headers, tls, proxy }: DialOptions, signal: AbortSignal): WebSocket {
  return new WebSocket(url, [...protocols], {
    perMessageDeflate: false,
    maxPayload: MAX_MESSAGE_BYTES,
    followRedirects: true,
    maxRedirects: 10,
    ...(headers && { headers: { ...headers } }),
    createConnection: ((
      to: { host: string; port: number | string; defaultPort: number },
      callback: (error: Error | null, socket?: Duplex) => void,
    ) => {
      const { host, port, defaultPort } = to;
      connect({ host, port: Number(port), secure: defaultPort === 443, tls, proxy, signal }).then(
        (socket) => callback(null, socket),
        (error: unknown) => callback(error as Error),
      );
    }) as never,
  });
}

function asDialError(error: Error): DialError {
  return error instanceof DialError ? error : new DialError(error.message, undefined, { cause: error });
}

/** The reason in a refusal: that of a JSON body, a short plain text, or the status phrase (wire A.4). */
async function readReason(response: IncomingMessage): Promise<string> {
  const fallback = response.statusMessage || `status ${response.statusCode}`;
  let text = '';
  try {
    for await (const chunk of response.setEncoding('utf8')) {
      text += chunk as string;
      if (text.length > MAX_REASON_CHARS) return fallback;
    }
    const type = response.headers['content-type'] ?? '';
    if (type.startsWith('text/plain')) return text.trim() || fallback;
    if (type.startsWith('application/json')) {
      const { reason } = JSON.parse(text) as { reason?: unknown };
      if (typeof reason === 'string') return reason;
    }
  } catch {
    // What cannot be read tells no more than the status.
  }
  return fallback;
}
