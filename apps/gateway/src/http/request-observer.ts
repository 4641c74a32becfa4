import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import { statusText, type AuditLog, type Logger, type Metrics } from '@edgesync/platform';
import type { GatewayRequest } from './gateway-request.js';
import { actorOf } from './request-audit.js';

export interface RequestObservers {
  /** Takes a line per request (ref 10.1). */
  readonly log: Logger;
  readonly audit: AuditLog;
  readonly metrics: Metrics;
}

/** Methods that metrics tell apart: what clients invent must not become time series. */
const METHODS: ReadonlySet<string> = new Set(['GET', 'HEAD', 'POST', 'PUT', 'DELETE', 'OPTIONS']);
const UNROUTED = 'none';

/** What stands for the status if the client went away before there was one: as other servers log it. */
const CLIENT_GONE = 499;

/**
 * Logs, audits and counts every request, when its reply is out or its client gone. Must be the first to hook into
 * requests, so that it sees those that later hooks refuse.
 */
export function observeRequests(fastify: FastifyInstance, { log, audit, metrics: { http } }: RequestObservers): void {
  const logs = log.enabled('info');
  const audits = audit.records('httpRequest');
  const finish = (request: FastifyRequest, reply: FastifyReply, began: number, sentBefore: number): void => {
    const { raw } = request;
    const seconds = (performance.now() - began) / 1_000;
    const status = reply.raw.headersSent ? reply.raw.statusCode : CLIENT_GONE;
    const method = METHODS.has(raw.method!) ? raw.method! : 'other';
    const route = request.is404 ? UNROUTED : (request.routeOptions.url ?? UNROUTED);
    http.inFlight.dec();
    http.finished(method, route, status, seconds, raw.socket.bytesWritten - sentBefore);
    if (!logs && !audits) return;
    const told = { method: raw.method!, url: raw.url!, status, elapsedMilliseconds: seconds * 1_000 };
    if (audits) audit.httpRequest(actorOf(request as GatewayRequest), told);
    if (!logs) return;
    const { remoteAddress = '?', remotePort = 0 } = raw.socket;
    const reason = status === CLIENT_GONE ? 'Client Closed Request' : statusText(status);
    log.request({ ...told, remoteAddress, remotePort, reason });
  };
  fastify.addHook('onRequest', (request, reply, done) => {
    const began = performance.now();
    const sentBefore = request.raw.socket.bytesWritten;
    http.inFlight.inc();
    // Unlike Fastify's own hook this also comes when the connection is lost.
    reply.raw.on('close', () => finish(request, reply, began, sentBefore));
    done();
  });
  fastify.server.on('connection', (socket) => {
    http.connections.inc();
    socket.once('close', () => http.connections.dec());
  });
  fastify.server.on('clientError', () => http.broken.inc());
}
