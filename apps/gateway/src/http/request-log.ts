import type { FastifyInstance } from 'fastify';
import type { Logger } from '@edgesync/platform';
import { statusText } from './status-texts.js';

/** Writes a line per finished request (ref 10.1), if the log is open for it. */
export function logRequests(fastify: FastifyInstance, logger: Logger): void {
  if (!logger.enabled('info')) return;
  fastify.addHook('onResponse', ({ raw }, reply, done) => {
    logger.request({
      remoteAddress: raw.socket.remoteAddress ?? '?',
      remotePort: raw.socket.remotePort ?? 0,
      method: raw.method!,
      url: raw.url!,
      status: reply.statusCode,
      reason: statusText(reply.statusCode),
      elapsedMilliseconds: reply.elapsedTime,
    });
    done();
  });
}
