import type { IncomingMessage } from 'node:http';
import type { Duplex } from 'node:stream';
import type { SecureContextOptions } from 'node:tls';
import { WebSocket } from 'ws';
import { DIAL_TIMEOUT_MS, MAX_MESSAGE_BYTES } from './tuning.js';
import { WsTransport, type WsTransportOptions } from './ws-transport.js';

export interface DialOptions extends WsTransportOptions {
  /** Offered sub-protocols, best first. */
  readonly protocols: readonly string[];
  /** Further headers of the upgrade request, such as `Authorization`. */
  readonly headers?: Readonly<Record<string, string>>;
  /** Certificates to present and to trust on `wss:`. */
  readonly tls?: Pick<SecureContextOptions, 'ca' | 'cert' | 'key' | 'passphrase'>;
  readonly timeoutMs?: number;
  /** Gives up. */
  readonly signal?: AbortSignal;
}

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

/** How much of a refusal's text is read. */
const MAX_REASON_CHARS = 1000;

/**
 * Opens a WebSocket to `ws:` or `wss:` and follows up to ten redirects.
 * @throws {DialError}
 */
export function dial(url: string, options: DialOptions): Promise<WsTransport> {
  return new Promise((resolve, reject) => {
    const socket = new WebSocket(url, [...options.protocols], {
      perMessageDeflate: false,
      maxPayload: MAX_MESSAGE_BYTES,
      handshakeTimeout: options.timeoutMs ?? DIAL_TIMEOUT_MS,
      followRedirects: true,
      maxRedirects: 10,
      headers: options.headers,
      ...options.tls,
    });
    let wire: Duplex;
    const abort = (): void => socket.terminate();
    options.signal?.addEventListener('abort', abort, { once: true });
    if (options.signal?.aborted) abort();
    const fail = (error: DialError): void => {
      options.signal?.removeEventListener('abort', abort);
      reject(error);
    };
    socket.on('upgrade', (response) => (wire = response.socket));
    socket.on('unexpected-response', (request, response) => {
      void readReason(response).then((reason) => {
        request.destroy();
        fail(new DialError(reason, response.statusCode));
      });
    });
    socket.on('error', (error) => fail(new DialError(error.message, undefined, { cause: error })));
    socket.on('open', () => {
      options.signal?.removeEventListener('abort', abort);
      resolve(new WsTransport(socket, wire, options));
    });
  });
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
