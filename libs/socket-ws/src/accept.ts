import type { IncomingMessage } from 'node:http';
import type { Duplex } from 'node:stream';
import { EdgeError } from '@edgesync/errors';
import { WebSocketServer } from 'ws';
import { MAX_MESSAGE_BYTES } from './tuning.js';
import { WsTransport, type WsTransportOptions } from './ws-transport.js';

/**
 * Settings of a WebSocket server that speaks BLIP (docs/protocol/connection.md#websocket-rules): no extensions, bounded
 * messages.
 */
export const BLIP_SERVER_OPTIONS = {
  noServer: true,
  clientTracking: false,
  perMessageDeflate: false,
  maxPayload: MAX_MESSAGE_BYTES,
} as const;

/** Completes upgrades that were authenticated and found good. */
export class WsAcceptor {
  private readonly chosen = new WeakMap<IncomingMessage, string>();
  private readonly server = new WebSocketServer({
    ...BLIP_SERVER_OPTIONS,
    handleProtocols: (_offered, request) => this.chosen.get(request) ?? false,
  });

  private readonly refusals = new WeakMap<IncomingMessage, (error: EdgeError) => void>();

  constructor(private readonly options: WsTransportOptions = {}) {
    this.server.on('wsClientError', ({ message }, _socket, request) => {
      const code = request.method === 'GET' ? 'request.invalid' : 'request.method';
      this.refusals.get(request)?.(new EdgeError(code, `no WebSocket handshake: ${message}`));
    });
  }

  /**
   * Answers an upgrade request with 101 and the chosen sub-protocol, which must be one of those offered.
   * @throws EdgeError `request.invalid`, `request.method` for a request that is no valid WebSocket handshake: it is not
   * answered
   */
  accept(request: IncomingMessage, socket: Duplex, head: Buffer, protocol: string): Promise<WsTransport> {
    this.chosen.set(request, protocol);
    return new Promise((resolve, reject) => {
      this.refusals.set(request, reject);
      const abandon = (): void => reject(new Error('the upgrade was not completed'));
      socket.once('close', abandon);
      this.server.handleUpgrade(request, socket, head, (webSocket) => {
        socket.off('close', abandon);
        resolve(new WsTransport(webSocket, socket, this.options));
      });
    });
  }
}
