import { Inject } from '@nestjs/common';
import { WebSocketGateway, type OnGatewayConnection } from '@nestjs/websockets';
import type { WsTransport } from '@edgesync/socket-ws';
import type { Admission } from './peer-admission.service.js';
import { PeerSessions } from './peer-sessions.service.js';

/** Apps that sync: `/{database}/_blipsync`. */
@WebSocketGateway({ path: '/:database/_blipsync' })
export class PeersGateway implements OnGatewayConnection<WsTransport> {
  constructor(@Inject(PeerSessions) private readonly sessions: PeerSessions) {}

  handleConnection(transport: WsTransport, admission: Admission): void {
    this.sessions.open(transport, admission);
  }
}
