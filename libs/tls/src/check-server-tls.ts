import type { ConfigIssue } from '@edgesync/config';
import { ConfigError, namedBy, type Found } from '@edgesync/config-files';
import { isEncrypted, readPrivateKey } from './private-key.js';
import { readCertificates, readServerTls, validityIssues } from './server-tls.js';

/**
 * Checks the files of `https` before anything starts: each alone, and all of them together if none is at fault. An encrypted
 * key is not opened.
 * @param paths absolute, by their keys in `https`; some may be missing
 * @param configFile named in the issues
 */
export function checkServerTls(paths: Readonly<Record<string, string>>, configFile: string): Found {
  const issues: ConfigIssue[] = [];
  const attempt = <T>(key: string, read: (path: string) => T): T | undefined => {
    const path = paths[key];
    try {
      return path === undefined ? undefined : read(path);
    } catch (error) {
      if (!(error instanceof ConfigError)) throw error;
      issues.push(...error.issues.map((issue) => namedBy(issue, configFile, `https.${key}`)));
      return undefined;
    }
  };
  const chain = attempt('tls_cert_path', readCertificates);
  attempt('client_cert_path', readCertificates);
  const encrypted = attempt('tls_key_path', (path) => {
    if (isEncrypted(path)) return true;
    readPrivateKey(path, undefined);
    return false;
  });
  const { tls_cert_path: certPath, tls_key_path: keyPath, client_cert_path: clientCertPath } = paths;
  if (issues.length === 0 && encrypted === false && certPath !== undefined && keyPath !== undefined)
    attempt('tls_key_path', () => readServerTls({ certPath, keyPath, clientCertPath }, undefined));
  return { issues, warnings: chain && certPath !== undefined ? validityIssues(chain[0]!, certPath, new Date()) : [] };
}
