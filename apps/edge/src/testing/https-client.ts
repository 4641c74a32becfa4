import { request } from 'node:https';
import type { SecureContextOptions, TLSSocket } from 'node:tls';

export interface HttpsAnswer {
  readonly status: number;
  readonly text: string;
  /** Protocol version, such as `TLSv1.3`. */
  readonly protocol: string;
  /** CN of the server certificate. */
  readonly server: string;
}

export interface HttpsOptions extends SecureContextOptions {
  readonly method?: string;
  readonly headers?: Record<string, string>;
  readonly body?: string;
  /** Resumes an earlier TLS session. */
  readonly session?: Buffer;
  readonly onSession?: (session: Buffer) => void;
}

/** Sends one request on a connection of its own. */
export function httpsRequest(url: string, { body, onSession, ...options }: HttpsOptions): Promise<HttpsAnswer> {
  return new Promise((resolve, reject) => {
    const sent = request(url, { ...options, agent: false }, (response) => {
      const socket = response.socket as TLSSocket;
      const protocol = socket.getProtocol() ?? '';
      const server = String(socket.getPeerCertificate().subject?.CN);
      let text = '';
      response.setEncoding('utf8').on('data', (chunk: string) => (text += chunk));
      response.on('error', reject).on('end', () => resolve({ status: response.statusCode!, text, protocol, server }));
    });
    sent.on('socket', (socket) => socket.on('session', (session: Buffer) => onSession?.(session)));
    sent.on('error', reject).end(body);
  });
}
