import type { Server } from 'node:tls';
import type { HttpsConfig } from '@edgesync/config';
import type { FileWatch } from '@edgesync/config-files';
import type { Logger } from '@edgesync/logging';
import { refuseUntrustedCertificates } from './client-certificate.js';
import { askForPassphrase, readServerTls, type ServerTls } from './server-tls.js';
import { watchServerTls } from './watch-server-tls.js';

export interface OpenServerTls extends Pick<ServerTls, 'options' | 'subject'> {
  /** Of the certificates that are in use now. */
  expiries(): ServerTls['expiries'];
  /** Looks after the server that was made with the options: its clients' certificates, and its own when they change. */
  attend(server: Server, log: Logger): FileWatch;
}

/**
 * Reads what a TLS server needs, and asks for the passphrase of its key if there is one.
 * @throws ConfigError
 */
export async function openServerTls(
  https: HttpsConfig,
  ask: (question: string) => Promise<string> = nobodyToAsk,
): Promise<OpenServerTls> {
  const passphrase = await askForPassphrase(https, ask);
  let current = readServerTls(https, passphrase);
  return {
    options: current.options,
    subject: current.subject,
    expiries: () => current.expiries,
    attend(server, log) {
      refuseUntrustedCertificates(server, (reason, address) =>
        log.warning(`refused the client certificate from ${address}: ${reason}`),
      );
      return watchServerTls(server, https, passphrase, log, (tls) => (current = tls));
    },
  };
}

function nobodyToAsk(): Promise<never> {
  return Promise.reject(new Error('there is nobody to ask'));
}
