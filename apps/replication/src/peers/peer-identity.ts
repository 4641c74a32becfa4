import type { IncomingMessage } from 'node:http';
import { Inject, Injectable } from '@nestjs/common';
import type { Principal } from '@edgesync/access';
import { EdgeError } from '@edgesync/errors';
import { authenticateRequest, AUTHENTICATOR, type Authenticator } from '@edgesync/platform';
import { parseSubprotocols } from '@edgesync/sync-protocol';

/** The user at the other end. */
export interface Peer {
  readonly principal: Principal;
  /** `address:port` of the app. */
  readonly remote: string;
  /** The name of the session at the gateway that passed the app on. */
  readonly relayed?: string;
}

/** Identifies the sender of an upgrade request. */
export abstract class PeerIdentity {
  /**
   * @param database the one the request is for
   * @throws EdgeError `auth.*`, `access.denied`, also as a rejection
   */
  abstract identify(request: IncomingMessage, database: string): Promise<Peer>;

  /** Calls `onEnd` once when the principal's sessions have to end. @returns stops watching */
  abstract watch(principal: Principal, onEnd: () => void): () => void;
}

/** By the credentials in the request, or the client's certificate. */
@Injectable()
export class CredentialsIdentity extends PeerIdentity {
  constructor(@Inject(AUTHENTICATOR) private readonly authenticator: Authenticator) {
    super();
  }

  override async identify(request: IncomingMessage): Promise<Peer> {
    const { headers, socket } = request;
    // One-time sessions are not served, and must not be a way around the credentials they stand for.
    const { session } = parseSubprotocols(headers['sec-websocket-protocol']);
    if (session !== undefined && headers.authorization === undefined) throw new EdgeError('auth.required');
    const principal = await authenticateRequest(this.authenticator, request);
    return { principal, remote: `${socket.remoteAddress}:${socket.remotePort}` };
  }

  override watch(principal: Principal, onEnd: () => void): () => void {
    return this.authenticator.watch(principal, onEnd);
  }
}
