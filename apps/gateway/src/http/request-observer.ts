import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import { statusText, type AuditLog, type Logger, type Metrics } from '@edgesync/platform';
import type { GatewayRequest } from './gateway-request.js';
import { auditReply } from './audited-reply.js';
import { CLIENT_GONE, sentStatus } from './sent-status.js';

export interface RequestObservers {
  /** Takes a line per request (docs/protocol/edge-server.md#operational-log). */
  readonly log: Logger;
  readonly audit: AuditLog;
  readonly metrics: Metrics;
}

/** Methods with metrics of their own: inventions of clients must not become time series. */
const METHODS: ReadonlySet<string> = new Set(['GET', 'HEAD', 'POST', 'PUT', 'DELETE', 'OPTIONS']);
const UNROUTED = 'none';

/**
 * Counts, logs and audits every request. Must be the first to hook into requests, so that it sees those that later hooks
 * refuse. Metrics and the log follow when the reply is out or its client gone; the audit event is in its file before the
 * reply is complete.
 */
export function observeRequests(fastify: FastifyInstance, { log, audit, metrics: { http } }: RequestObservers): void {
  const logs = log.enabled('info');
  const finish = (request: FastifyRequest, reply: FastifyReply, began: number, sentBefore: number): void => {
    const { raw } = request;
    const seconds = (performance.now() - began) / 1_000;
    const status = sentStatus(reply.raw);
    const method = METHODS.has(raw.method!) ? raw.method! : 'other';
    const route = request.is404 ? UNROUTED : (request.routeOptions.url ?? UNROUTED);
    http.inFlight.dec();
    http.finished(method, route, status, seconds, raw.socket.bytesWritten - sentBefore);
    if (!logs) return;
    const { remoteAddress = '?', remotePort = 0 } = raw.socket;
    const reason = status === CLIENT_GONE ? 'Client Closed Request' : statusText(status);
    const { method: sentMethod, url } = raw as { method: string; url: string };
    const elapsedMilliseconds = seconds * 1_000;
    const { name: user } = (request as GatewayRequest).principal ?? {};
    log.request({ user, method: sentMethod, url, status, elapsedMilliseconds, remoteAddress, remotePort, reason });
  };
  fastify.addHook('onRequest', (request, reply, done) => {
    const began = performance.now();
    const sentBefore = request.raw.socket.bytesWritten;
    http.inFlight.inc();
    if (audit.isOn) auditReply(request as GatewayRequest, reply.raw, began, audit);
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
