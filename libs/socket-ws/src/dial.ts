import type { IncomingMessage } from 'node:http';
import type { Duplex } from 'node:stream';
import { systemScheduler } from '@edgesync/async';
import { WebSocket } from 'ws';
import { connect, DialError, type ClientTls, type ProxyOptions } from './connect.js';
import { REDIRECTS, redirected, type Hop } from './redirect.js';
import { DIAL_TIMEOUT_MS, MAX_MESSAGE_BYTES, MAX_REDIRECTS } from './tuning.js';
import { WsTransport, type WsTransportOptions } from './ws-transport.js';

/** Cookies that servers set, each for where it belongs. */
export interface DialCookies {
  /** The value of the `Cookie` header for a URL, '' if there are none. */
  header(url: string): string;
  /** @param lines `Set-Cookie` headers of an answer from that URL */
  store(url: string, lines: readonly string[]): Promise<void>;
}

export interface DialOptions extends WsTransportOptions {
  /** Offered sub-protocols, best first. */
  readonly protocols: readonly string[];
  /** Further headers of the upgrade request, such as `Authorization`. */
  readonly headers?: Readonly<Record<string, string>>;
  readonly cookies?: DialCookies;
  /** Certificates to present and to trust on `wss:`. Default: the roots of the system. */
  readonly tls?: ClientTls;
  readonly proxy?: ProxyOptions;
  /** For all of it: name look-up, proxy, TLS, upgrade, redirects. */
  readonly timeoutMs?: number;
  /** Gives up. */
  readonly signal?: AbortSignal;
}

/** How much of a refusal's text is read. */
const MAX_REASON_CHARS = 1000;

/**
 * Opens a WebSocket to `ws:` or `wss:` and follows up to ten redirects.
 * @throws {DialError}
 */
export async function dial(url: string, options: DialOptions): Promise<WsTransport> {
  const { scheduler = systemScheduler, timeoutMs = DIAL_TIMEOUT_MS, headers = {}, signal } = options;
  const ending = new AbortController();
  const giveUp = (): void => ending.abort(new DialError('given up', undefined));
  const cancelTimer = scheduler.schedule(timeoutMs, () =>
    ending.abort(new DialError('the server does not answer', undefined, { cause: { code: 'ETIMEDOUT' } })),
  );
  signal?.addEventListener('abort', giveUp, { once: true });
  if (signal?.aborted) giveUp();
  try {
    let hop: Hop = { url: new URL(url), headers };
    for (let redirects = 0; redirects <= MAX_REDIRECTS; redirects++) {
      const answer = await upgrade(hop, options, ending.signal);
      if (answer instanceof WsTransport) return answer;
      hop = redirected(hop, answer.location);
    }
    throw new DialError('too many redirects', undefined, { cause: { code: 'ERR_TOO_MANY_REDIRECTS' } });
  } catch (error) {
    throw error instanceof DialError ? error : new DialError((error as Error).message, undefined, { cause: error });
  } finally {
    cancelTimer();
    signal?.removeEventListener('abort', giveUp);
  }
}

interface Redirect {
  readonly location: string | undefined;
}

/** Asks one server. @throws the reason of `signal`, {DialError}, or an error of the network */
function upgrade({ url, headers }: Hop, options: DialOptions, signal: AbortSignal): Promise<WsTransport | Redirect> {
  signal.throwIfAborted();
  const { cookies } = options;
  const { promise, resolve, reject } = Promise.withResolvers<WsTransport | Redirect>();
  const socket = open(url, withCookies(headers, cookies?.header(url.href)), options, signal);
  const abort = (): void => fail(signal.reason);
  const fail = (error: unknown): void => {
    reject(error as Error);
    socket.terminate();
  };
  const store = ({ headers }: IncomingMessage): Promise<void> | undefined =>
    headers['set-cookie'] && cookies?.store(url.href, headers['set-cookie']);
  signal.addEventListener('abort', abort, { once: true });
  let wire: Duplex;
  let stored: Promise<void> | undefined;
  socket.on('upgrade', (response) => {
    wire = response.socket;
    stored = store(response);
  });
  socket.on('unexpected-response', (request, response) => {
    stored = store(response);
    if (REDIRECTS.has(response.statusCode)) {
      request.destroy();
      resolve({ location: response.headers.location });
      return;
    }
    void readReason(response).then((reason) => {
      request.destroy();
      fail(new DialError(reason, response.statusCode));
    });
  });
  socket.on('error', fail);
  socket.on('open', () => resolve(new WsTransport(socket, wire, options)));
  return promise.finally(async () => {
    signal.removeEventListener('abort', abort);
    await stored;
  });
}

function open(
  url: URL,
  headers: Readonly<Record<string, string>>,
  { protocols, tls, proxy }: DialOptions,
  signal: AbortSignal,
): WebSocket {
  return new WebSocket(url, [...protocols], {
    perMessageDeflate: false,
    maxPayload: MAX_MESSAGE_BYTES,
    headers: { ...headers },
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

function withCookies(headers: Hop['headers'], cookies = ''): Hop['headers'] {
  if (cookies === '') return headers;
  const name = Object.keys(headers).find((name) => name.toLowerCase() === 'cookie') ?? 'Cookie';
  return { ...headers, [name]: [headers[name] ?? '', cookies].filter((one) => one !== '').join('; ') };
}

/** The reason in a refusal: that of a JSON body, a short plain text, or the status phrase. */
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
    // The status has to do.
  }
  return fallback;
}
