import type { Socket } from 'node:net';
import type { FastifyReply } from 'fastify';
import { EdgeError, type ErrorCode } from '@edgesync/errors';
import { closingReply, errorReply, SERVER_HEADER } from '@edgesync/platform';
import { sendError } from './reply.js';

/** Errors of Node's HTTP parser that have a status of their own. */
const CODES: Readonly<Record<string, readonly [code: ErrorCode, reason?: string]>> = {
  HPE_HEADER_OVERFLOW: ['request.head-too-large'],
  HPE_CHUNK_EXTENSIONS_OVERFLOW: ['request.too-large', 'the chunk extensions are too long'],
  ERR_HTTP_REQUEST_TIMEOUT: ['request.timeout'],
};

/** Errors of connections that never came to speak HTTP: of the network, and of TLS. */
const WITHOUT_ANSWER = /^(?:ECONNRESET|EPIPE|ETIMEDOUT|ERR_SSL_|ERR_TLS_)/;

/** OpenSSL's codes for a first packet that is not TLS: with a known method, and the last for anything else. */
const PLAIN_HTTP: ReadonlySet<string | undefined> = new Set([
  'ERR_SSL_HTTP_REQUEST',
  'ERR_SSL_HTTPS_PROXY_REQUEST',
  'ERR_SSL_WRONG_VERSION_NUMBER',
]);

/** A connection as it is below TLS, whose handshake failed. Node has no public name for it. */
interface Tunnelled extends Socket {
  readonly _parent?: Socket;
}

/**
 * Answers what is not HTTP, or stopped half way, and closes the connection.
 * @param onPlainHttp notified of requests in plain HTTP on a port that speaks TLS
 */
export function answerBrokenRequest(
  error: NodeJS.ErrnoException,
  socket: Socket,
  onPlainHttp: (address: string) => void = () => {},
): void {
  if (PLAIN_HTTP.has(error.code)) {
    const { _parent: below, remoteAddress = '?' } = socket as Tunnelled;
    onPlainHttp(remoteAddress);
    if (below?.writable) end(below, new EdgeError('request.plain'));
    return;
  }
  if (WITHOUT_ANSWER.test(error.code ?? '') || !socket.writable || socket.bytesWritten > 0) {
    socket.destroy();
    return;
  }
  const [code, reason] = CODES[error.code ?? ''] ?? ['request.invalid', 'malformed HTTP request'];
  end(socket, new EdgeError(code, reason));
}

function end(socket: Socket, error: EdgeError): void {
  socket.on('error', () => {});
  socket.once('finish', () => socket.destroySoon());
  socket.end(closingReply(errorReply(error)));
}

/** Answers a URL that cannot be routed: malformed percent-encoding, or a component that is too long. */
export function answerBadUrl(error: { readonly code?: string }, reply: FastifyReply): void {
  const reason =
    error.code === 'FST_ERR_MAX_PARAM_LENGTH'
      ? 'a path component is too long'
      : 'the path is not percent-encoded UTF-8';
  reply.header('server', SERVER_HEADER);
  sendError(reply, new EdgeError('request.invalid', reason));
}
