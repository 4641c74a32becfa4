import type { Duplex } from 'node:stream';
import { EdgeError } from '@edgesync/errors';
import { SERVER_HEADER } from '../product.js';
import { errorBody, NO_CACHE_HEADERS } from '../replies/error-body.js';
import { statusText } from '../replies/status-texts.js';

/** Seconds after which a refused app is asked to try again. */
const RETRY_AFTER_SECONDS = 5;

/** Answers an upgrade request with an error, as REST would, and closes the connection. */
export function refuseUpgrade(socket: Duplex, error: unknown): void {
  const fault = error instanceof EdgeError ? error : new EdgeError('internal');
  const { status } = fault;
  const body = errorBody(status, fault.message);
  const headers = [
    `HTTP/1.1 ${status} ${statusText(status)}`,
    'Connection: close',
    `Server: ${SERVER_HEADER}`,
    `Date: ${new Date().toUTCString()}`,
    ...Object.entries(NO_CACHE_HEADERS).map(([name, value]) => `${name}: ${value}`),
    'Content-Type: application/json',
    'X-Content-Type-Options: nosniff',
    `Content-Length: ${Buffer.byteLength(body)}`,
    ...(status === 401 ? ['WWW-Authenticate: Basic charset="UTF-8"'] : []),
    ...(status === 503 || status === 429 ? [`Retry-After: ${RETRY_AFTER_SECONDS}`] : []),
  ];
  // Whoever does not read the answer shall not keep the socket.
  socket.once('finish', () => socket.destroy());
  socket.end(`${headers.join('\r\n')}\r\n\r\n${body}`);
}
