import { EventEmitter } from 'node:events';
import type { IncomingMessage, Server } from 'node:http';
import type { Duplex } from 'node:stream';
import type { INestApplication } from '@nestjs/common';
import { WsAdapter } from '@nestjs/platform-ws';
import { EdgeError } from '@edgesync/errors';
import type { Logger, Loggers } from '@edgesync/logging';
import { LOGGERS, refuseUpgrade } from '@edgesync/platform';
import { WsAcceptor, type WsTransport } from '@edgesync/socket-ws';
import { subprotocolOf } from '@edgesync/sync-protocol';
import { MAX_PENDING_UPGRADES } from '../tuning.js';
import { PeerAdmission, type Admission } from './peer-admission.service.js';
import { PeerSessions } from './peer-sessions.service.js';

/**
 * Lets the HTTP server of an application that imports `ReplicationModule` take sync connections, which reach its
 * `PeersGateway`. To be called before `listen`.
 */
export function mountPeers(app: INestApplication): void {
  app.useWebSocketAdapter(new SyncWsAdapter(app));
}

/**
 * The WebSocket adapter of Nest for sync. The stock one compares paths literally, picks sub-protocols by itself and parses
 * messages as JSON; here a path has a database in it, an app is admitted before it is answered, and messages are binary
 * frames that belong to the BLIP connection. Why: docs/decisions/sync-through-a-gateway.md.
 */
class SyncWsAdapter extends WsAdapter {
  constructor(private readonly app: INestApplication) {
    super(app);
  }

  /** Called once, for the gateway of the peers. */
  override create(): SyncServer {
    const log = this.app.get<Loggers>(LOGGERS).domain('Sync');
    return new SyncServer(this.httpServer as Server, this.app.get(PeerAdmission), this.app.get(PeerSessions), log);
  }

  override bindClientConnect(server: SyncServer, callback: (...args: unknown[]) => void): void {
    server.on('connection', callback);
  }

  /** The session knows when its connection ends. */
  override bindClientDisconnect(): void {}

  override bindMessageHandlers(): void {}

  override async close(server: SyncServer): Promise<void> {
    server.close();
  }
}

/**
 * Turns upgrade requests of an HTTP server into transports: has the app admitted, answers 101 with the protocol chosen for
 * it, and emits `connection`. Everything else is answered with an HTTP error.
 */
class SyncServer extends EventEmitter<{ connection: [transport: WsTransport, admission: Admission] }> {
  private readonly acceptor = new WsAcceptor();
  private pending = 0;
  private isClosed = false;

  constructor(
    private readonly http: Server,
    private readonly admission: PeerAdmission,
    private readonly sessions: PeerSessions,
    private readonly log: Logger,
  ) {
    super();
    http.on('upgrade', this.upgrade);
  }

  /** Refuses what comes from now on; open connections stay. */
  close(): void {
    this.isClosed = true;
    this.http.off('upgrade', this.upgrade);
  }

  private readonly upgrade = (request: IncomingMessage, socket: Duplex, head: Buffer): void => {
    socket.on('error', () => {});
    this.pending++;
    this.answer(request, socket, head)
      .catch((error: unknown) => {
        if (!(error instanceof EdgeError) && !socket.destroyed) this.log.warning('upgrade failed', error);
        if (socket.writable) refuseUpgrade(socket, error);
        else socket.destroy();
      })
      .finally(() => this.pending--);
  };

  private async answer(request: IncomingMessage, socket: Duplex, head: Buffer): Promise<void> {
    if (this.isClosed) throw new EdgeError('server.draining');
    if (this.pending > MAX_PENDING_UPGRADES) throw new EdgeError('server.overloaded');
    // One side would read a body as frames, a proxy in between as another request.
    if (hasBody(request)) throw new EdgeError('request.invalid', 'an upgrade request has no body');
    this.sessions.checkRoom();
    const admission = await this.admission.admit(request);
    if (socket.destroyed) return;
    const transport = await this.acceptor.accept(request, socket, head, subprotocolOf(admission.version));
    this.emit('connection', transport, admission);
  }
}

function hasBody({ headers }: IncomingMessage): boolean {
  return headers['transfer-encoding'] !== undefined || Number(headers['content-length'] ?? 0) !== 0;
}
