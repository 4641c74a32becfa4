import type { FastifyInstance } from 'fastify';

const LOOK_EVERY_MS = 20;

/**
 * While the server closes, a connection goes as soon as its last reply is out. Node closes only those that are idle
 * at the start; the others would stay until their keep-alive time is over.
 */
export function closeConnectionsWhenIdle(fastify: FastifyInstance): void {
  const server = fastify.server;
  fastify.addHook('preClose', (done) => {
    const timer = setInterval(() => server.closeIdleConnections(), LOOK_EVERY_MS);
    server.once('close', () => clearInterval(timer));
    timer.unref();
    done();
  });
}
