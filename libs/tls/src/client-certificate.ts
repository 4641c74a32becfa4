import type { Socket } from 'node:net';
import { TLSSocket, type Server } from 'node:tls';

const names = new WeakMap<TLSSocket, string | false>();

/**
 * The name that a client certificate proves its sender to have: its CN (docs/protocol/edge-server.md#tls).
 * @returns undefined without a certificate from the configured CA, and if it has no CN or several
 */
export function certifiedName(socket: Socket): string | undefined {
  if (!(socket instanceof TLSSocket) || !socket.authorized) return undefined;
  let name = names.get(socket);
  if (name === undefined) names.set(socket, (name = readName(socket) ?? false));
  return name === false ? undefined : name;
}

/** A resumed session without a certificate counts as authorized too, so what matters is the certificate. */
function readName(socket: TLSSocket): string | undefined {
  const name = socket.getPeerCertificate()?.subject?.CN;
  return typeof name === 'string' && name !== '' ? name : undefined;
}

/**
 * Ends connections whose client certificate is not signed by the configured CA, is expired, or not for clients: such a
 * client is not taken for one without credentials.
 * @param onRefusal receives why, and from what address
 */
export function refuseUntrustedCertificates(
  server: Server,
  onRefusal: (reason: string, address: string) => void,
): void {
  server.on('secureConnection', (socket: TLSSocket) => {
    if (socket.authorized || socket.getPeerX509Certificate() === undefined) return;
    onRefusal(String(socket.authorizationError), socket.remoteAddress ?? '?');
    socket.destroy();
  });
}
