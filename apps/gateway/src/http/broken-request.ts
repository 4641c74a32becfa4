import type { Socket } from 'node:net';
import type { FastifyReply } from 'fastify';
import { errorBody, NO_CACHE_HEADERS, SERVER_HEADER, statusText } from '@edgesync/platform';
import { JSON_TYPE, NO_SNIFFING, sendError } from './reply.js';

/** Faults of Node's HTTP parser that have a status of their own. */
const STATUS_OF_CODE: Readonly<Record<string, readonly [status: number, reason: string]>> = {
  HPE_HEADER_OVERFLOW: [431, 'the request line and headers are too long'],
  HPE_CHUNK_EXTENSIONS_OVERFLOW: [413, 'the chunk extensions are too long'],
  ERR_HTTP_REQUEST_TIMEOUT: [408, 'the request did not arrive in time'],
};

/** Faults of connections that never came to speak HTTP: of the network, and of TLS. */
const WITHOUT_ANSWER = /^(?:ECONNRESET|EPIPE|ETIMEDOUT|ERR_SSL_|ERR_TLS_)/;

/** Answers what is not HTTP, or stopped half way, and closes the connection. */
export function answerBrokenRequest(error: NodeJS.ErrnoException, socket: Socket): void {
  if (WITHOUT_ANSWER.test(error.code ?? '') || !socket.writable || socket.bytesWritten > 0) {
    socket.destroy();
    return;
  }
  const [status, reason] = STATUS_OF_CODE[error.code ?? ''] ?? [400, 'malformed HTTP request'];
  const body = errorBody(status, reason);
  const headers = {
    server: SERVER_HEADER,
    date: new Date().toUTCString(),
    ...NO_CACHE_HEADERS,
    [NO_SNIFFING[0]]: NO_SNIFFING[1],
    'content-type': JSON_TYPE,
    'content-length': String(Buffer.byteLength(body)),
    connection: 'close',
  };
  const lines = Object.entries(headers).map(([name, value]) => `${name}: ${value}\r\n`);
  socket.end(`HTTP/1.1 ${status} ${statusText(status)}\r\n${lines.join('')}\r\n${body}`);
}

/** Answers a URL that cannot be routed: malformed percent-encoding, or a component that is too long. */
export function answerBadUrl(error: { readonly code?: string }, reply: FastifyReply): void {
  const reason =
    error.code === 'FST_ERR_MAX_PARAM_LENGTH'
      ? 'a path component is too long'
      : 'the path is not percent-encoded UTF-8';
  reply.header('server', SERVER_HEADER).header(...NO_SNIFFING);
  sendError(reply, 400, reason);
}
