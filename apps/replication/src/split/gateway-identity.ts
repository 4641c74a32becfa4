import type { IncomingMessage } from 'node:http';
import { Inject, Injectable } from '@nestjs/common';
import { EdgeError } from '@edgesync/errors';
import { HANDSHAKE_HEADER, HandshakeVerifier } from '@edgesync/platform';
import { type Peer, PeerIdentity } from '../peers/peer-identity.js';

/** By the handshake of a gateway, which has checked the credentials and ends the session when they end. */
@Injectable()
export class GatewayIdentity extends PeerIdentity {
  constructor(@Inject(HandshakeVerifier) private readonly verifier: HandshakeVerifier) {
    super();
  }

  override async identify({ headers }: IncomingMessage, database: string): Promise<Peer> {
    const token = headers[HANDSHAKE_HEADER];
    if (Array.isArray(token)) throw new EdgeError('handshake.refused', 'there are two handshakes');
    const { principal, remote, session } = this.verifier.verify(token, database);
    return { principal, remote, relayed: session };
  }

  override watch(): () => void {
    return () => {};
  }
}
