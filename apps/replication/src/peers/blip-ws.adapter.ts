import type { Server } from 'node:http';
import type { INestApplicationContext } from '@nestjs/common';
import { WsAdapter } from '@nestjs/platform-ws';
import type { PeerServer } from './peer-server.js';

/**
 * The WebSocket adapter of Nest for BLIP. The stock one compares paths literally, picks sub-protocols by itself and
 * parses messages as JSON; here a path has a database in it, an app is admitted before it is answered, and messages are
 * binary frames that belong to the BLIP connection.
 */
export class BlipWsAdapter extends WsAdapter {
  constructor(
    app: INestApplicationContext,
    private readonly peers: PeerServer,
  ) {
    super(app);
  }

  /** Called once, for the gateway of the peers. */
  override create(): PeerServer {
    (this.httpServer as unknown as Server).on('upgrade', this.peers.upgrade);
    return this.peers;
  }

  override bindClientConnect(server: PeerServer, callback: (...args: unknown[]) => void): void {
    server.on('connection', callback);
  }

  /** The session knows when its connection ends. */
  override bindClientDisconnect(): void {}

  override bindMessageHandlers(): void {}

  override async close(server: PeerServer): Promise<void> {
    server.close();
    (this.httpServer as unknown as Server).off('upgrade', server.upgrade);
  }
}
