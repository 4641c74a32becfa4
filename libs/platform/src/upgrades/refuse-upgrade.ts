import { STATUS_CODES } from 'node:http';
import type { Duplex } from 'node:stream';
import { EdgeError } from '@edgesync/errors';

/** Seconds after which a refused app is asked to try again. */
const RETRY_AFTER_SECONDS = 5;

/** Answers an upgrade request with an error, as REST would, and closes the connection. */
export function refuseUpgrade(socket: Duplex, error: unknown): void {
  const fault = error instanceof EdgeError ? error : new EdgeError('internal');
  const { status } = fault;
  const text = STATUS_CODES[status] ?? 'Error';
  const body = JSON.stringify({ status, error: text, reason: fault.message });
  const headers = [
    `HTTP/1.1 ${status} ${text}`,
    'Connection: close',
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
