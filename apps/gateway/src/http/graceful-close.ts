import type { Socket } from 'node:net';
import type { FastifyInstance } from 'fastify';

const LOOK_EVERY_MS = 20;

/**
 * While the server closes, a connection goes as soon as its last reply is out. Node closes only those that are idle at
 * the start, and does not count as idle what never sent a byte, as browsers' spare connections; they would stay until
 * their time is over.
 */
export function closeConnectionsWhenIdle(fastify: FastifyInstance): void {
  const { server } = fastify;
  const connections = new Set<Socket>();
  // With TLS a connection comes twice: as it is, and decrypted.
  for (const event of ['connection', 'secureConnection'])
    server.on(event, (socket: Socket) => {
      connections.add(socket);
      socket.once('close', () => connections.delete(socket));
    });
  fastify.addHook('preClose', (done) => {
    const closeIdle = (): void => {
      server.closeIdleConnections();
      for (const socket of connections) if (socket.bytesRead === 0) socket.destroy();
    };
    const timer = setInterval(closeIdle, LOOK_EVERY_MS);
    server.once('close', () => clearInterval(timer));
    closeIdle();
    done();
  });
}
