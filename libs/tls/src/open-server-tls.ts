import type { Server } from 'node:tls';
import type { HttpsConfig } from '@edgesync/config';
import type { FileWatch } from '@edgesync/config-files';
import type { Logger } from '@edgesync/logging';
import { refuseUntrustedCertificates } from './client-certificate.js';
import { askForPassphrase, readServerTls, type ServerTls } from './server-tls.js';
import { watchServerTls } from './watch-server-tls.js';

export interface OpenServerTls extends ServerTls {
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
  return {
    ...readServerTls(https, passphrase),
    attend(server, log) {
      refuseUntrustedCertificates(server, (reason, address) =>
        log.warning(`refused the client certificate from ${address}: ${reason}`),
      );
      return watchServerTls(server, https, passphrase, log);
    },
  };
}

function nobodyToAsk(): Promise<never> {
  return Promise.reject(new Error('there is nobody to ask'));
}
