import type { Server } from 'node:tls';
import type { HttpsConfig } from '@edgesync/config';
import { watchFiles, type FileWatch, type WatchOptions } from '@edgesync/config-files';
import type { Logger } from '@edgesync/logging';
import { explain } from '@edgesync/errors';
import { readServerTls, type ServerTls } from './server-tls.js';

/**
 * Gives the server new certificates whenever their files change; open connections go on under the old ones. Files that
 * cannot be used, or do not belong together yet, change nothing, and the log says why.
 * @param passphrase of the private key, should it still be encrypted
 * @param onChange receives what the server uses from then on
 */
export function watchServerTls(
  server: Server,
  https: HttpsConfig,
  passphrase: string | undefined,
  log: Logger,
  onChange: (tls: ServerTls) => void,
  options?: WatchOptions,
): FileWatch {
  const reload = (): void => {
    try {
      const tls = readServerTls(https, passphrase);
      for (const warning of tls.warnings) log.warning(warning);
      server.setSecureContext(tls.options);
      onChange(tls);
      log.info(`the TLS certificate was read again: ${tls.subject}`);
    } catch (error) {
      log.error(`the TLS certificate stays as it was: ${explain(error)}`);
    }
  };
  const { certPath, keyPath, clientCertPath } = https;
  return watchFiles([certPath, keyPath, ...(clientCertPath === undefined ? [] : [clientCertPath])], reload, options);
}
