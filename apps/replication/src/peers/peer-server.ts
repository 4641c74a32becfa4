import { EventEmitter } from 'node:events';
import type { IncomingMessage } from 'node:http';
import type { Duplex } from 'node:stream';
import { EdgeError } from '@edgesync/errors';
import { refuseUpgrade } from '@edgesync/platform';
import { WsAcceptor, type WsTransport } from '@edgesync/socket-ws';
import { subprotocolOf } from '@edgesync/sync-protocol';
import { MAX_PENDING_UPGRADES } from '../tuning.js';
import type { Admission } from './peer-admission.service.js';

/** Admits an app, or throws why not. */
export type Admit = (request: IncomingMessage) => Promise<Admission>;

/**
 * Turns upgrade requests into transports: asks whether the app is admitted, answers 101 with the protocol chosen for
 * it, and emits `connection` with the transport and the admission. Everything else is answered with an HTTP error.
 */
export class PeerServer extends EventEmitter<{ connection: [transport: WsTransport, admission: Admission] }> {
  private readonly acceptor = new WsAcceptor();
  private pending = 0;
  private isClosed = false;

  constructor(
    private readonly admit: Admit,
    private readonly onFault: (error: unknown) => void,
    /** Awaited before an answer: what the audit log has to say of the request is in its file by then. */
    private readonly audited: () => Promise<void> | undefined = () => undefined,
  ) {
    super();
  }

  /** Handles one request of the `upgrade` event of an HTTP server. */
  readonly upgrade = (request: IncomingMessage, socket: Duplex, head: Buffer): void => {
    const ignore = (): void => {};
    socket.on('error', ignore);
    this.pending++;
    this.answer(request, socket, head)
      .catch(async (error: unknown) => {
        if (!(error instanceof EdgeError) && !socket.destroyed) this.onFault(error);
        await this.audited();
        if (socket.writable) refuseUpgrade(socket, error);
        else socket.destroy();
      })
      .finally(() => this.pending--);
  };

  /** Refuses whatever comes from now on; open connections stay. */
  close(): void {
    this.isClosed = true;
  }

  private async answer(request: IncomingMessage, socket: Duplex, head: Buffer): Promise<void> {
    if (this.isClosed) throw new EdgeError('server.draining');
    if (this.pending > MAX_PENDING_UPGRADES) throw new EdgeError('server.overloaded');
    // What follows the headers would be taken for frames by one and for another request by a proxy.
    if (hasBody(request)) throw new EdgeError('request.invalid', 'an upgrade request has no body');
    const admission = await this.admit(request);
    await this.audited();
    if (socket.destroyed) return;
    const transport = await this.acceptor.accept(request, socket, head, subprotocolOf(admission.version));
    this.emit('connection', transport, admission);
  }
}

function hasBody({ headers }: IncomingMessage): boolean {
  return headers['transfer-encoding'] !== undefined || Number(headers['content-length'] ?? 0) !== 0;
}
