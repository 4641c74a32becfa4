import type { FastifyRequest } from 'fastify';
import type { Principal } from '@edgesync/access';
import type { Keyspace } from '@edgesync/document';

/** A request once it has passed the hooks and guards. */
export type GatewayRequest = FastifyRequest<{ Params: Readonly<Record<string, string>> }> & {
  /** The sender. Set by the authentication hook. */
  principal: Principal;
  /** The keyspace of the first path component. Set by the keyspace guards. */
  keyspace: Keyspace;
};

declare module 'fastify' {
  interface FastifyInstance {
    /** Logs what went wrong after a reply had begun, when the client can notice it only by the closed connection. */
    reportError: (error: unknown, request: FastifyRequest) => void;
  }
}
