import type { FastifyRequest } from 'fastify';
import type { Principal } from '@edgesync/access';
import type { Keyspace } from '@edgesync/document';

/** A request once it has passed the hooks and guards. */
export type GatewayRequest = FastifyRequest<{ Params: Readonly<Record<string, string>> }> & {
  /** Who asks. Set by the authentication hook. */
  principal: Principal;
  /** What the first path component names. Set by the keyspace guards. */
  keyspace: Keyspace;
};

declare module 'fastify' {
  interface FastifyInstance {
    /** Logs what went wrong after a reply had begun, when nothing but closing the connection can tell the client. */
    reportFault: (error: unknown, request: FastifyRequest) => void;
  }
}
