import type { IncomingMessage } from 'node:http';
import type { Principal } from '@edgesync/access';
import { certifiedName } from '@edgesync/tls';
import type { Authenticator } from './authenticator.js';

/** The sender of a request, or of an upgrade request: see {@link Authenticator.authenticate}. */
export function authenticateRequest(
  authenticator: Authenticator,
  { headers, socket }: IncomingMessage,
): Principal | Promise<Principal> {
  return authenticator.authenticate(headers.authorization, socket.remoteAddress ?? '', certifiedName(socket));
}
