import type { Duplex } from 'node:stream';
import { closingReply, errorReply } from '../replies/error-reply.js';

/** A refused handshake names the version of WebSocket that is spoken here (RFC 6455, 4.4). */
const VERSION = { 'Sec-WebSocket-Version': '13' };

/** Answers an upgrade request with an error, as REST would, and closes the connection. */
export function refuseUpgrade(socket: Duplex, error: unknown): void {
  const reply = errorReply(error);
  // A client that does not read the answer must not keep the socket.
  socket.once('finish', () => socket.destroy());
  socket.end(closingReply(reply, reply.status === 400 ? VERSION : {}));
}
