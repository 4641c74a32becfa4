import type { ConnectionHandler } from './handler.js';

/** The heartbeat of clients that cannot send WebSocket pings (wire A.5). */
export const ping: ConnectionHandler = {
  handleConnection(_session, request) {
    request.respond();
  },
};
