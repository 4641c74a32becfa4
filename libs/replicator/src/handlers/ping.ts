import type { ConnectionHandler } from './handler.js';

/** The heartbeat of clients that cannot send WebSocket pings (docs/protocol/connection.md#websocket-rules). */
export const ping: ConnectionHandler = {
  handleConnection(_session, request) {
    request.respond();
  },
};
