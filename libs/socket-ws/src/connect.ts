import { connect as connectTcp, isIP } from 'node:net';
import type { Duplex } from 'node:stream';
import { connect as connectTls, type ConnectionOptions, type SecureContextOptions } from 'node:tls';
import { openTunnel, type ProxyOptions } from './tunnel.js';

/** Certificates that a server must prove, and our own. */
export interface ClientTls extends Pick<SecureContextOptions, 'ca' | 'cert' | 'key' | 'passphrase'> {
  /** The one certificate, in DER, that the server may have. Nothing else about it is checked then, neither issuer nor name. */
  readonly pinned?: Buffer;
}

export interface ConnectOptions {
  readonly host: string;
  readonly port: number;
  readonly secure: boolean;
  readonly tls: ClientTls | undefined;
  readonly proxy: ProxyOptions | undefined;
  readonly signal: AbortSignal;
}

/** Opens the connection below a WebSocket. With TLS it is safe to send secrets once this resolves. */
export async function connect({ host, port, secure, tls, proxy, signal }: ConnectOptions): Promise<Duplex> {
  const tunnel = proxy && (await openTunnel(proxy, { host, port }, signal));
  if (!secure) return tunnel ?? connectTcp({ host, port });
  const { pinned, ...context } = tls ?? {};
  return handshake(
    {
      ...context,
      host,
      ...(tunnel ? { socket: tunnel } : { port }),
      servername: isIP(host) ? '' : host,
      rejectUnauthorized: pinned === undefined,
    },
    pinned,
    signal,
  );
}

function handshake(options: ConnectionOptions, pinned: Buffer | undefined, signal: AbortSignal): Promise<Duplex> {
  return new Promise((resolve, reject) => {
    const socket = connectTls(options);
    const abort = (): void => void socket.destroy(new Error('given up'));
    signal.addEventListener('abort', abort, { once: true });
    socket.once('error', reject);
    socket.once('close', () => reject(Object.assign(new Error('socket hang up'), { code: 'ECONNRESET' })));
    socket.once('secureConnect', () => {
      signal.removeEventListener('abort', abort);
      if (pinned && !socket.getPeerX509Certificate()?.raw.equals(pinned)) {
        socket.destroy();
        const message = 'the server’s certificate is not the pinned one';
        reject(Object.assign(new Error(message), { code: 'ERR_CERTIFICATE_NOT_PINNED' }));
        return;
      }
      socket.off('error', reject);
      resolve(socket);
    });
  });
}
