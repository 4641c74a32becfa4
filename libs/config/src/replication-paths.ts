import type { ReplicationConfig } from './edge-config.js';

/** A definition with the paths of the files that it names made absolute. A value that is PEM text itself names none. */
export function withPaths(item: ReplicationConfig, resolve: (path: string) => string): ReplicationConfig {
  const file = <Value extends string | undefined>(value: Value): Value =>
    (value === undefined || value.includes('-----BEGIN ') ? value : resolve(value)) as Value;
  const certificate = <Owner extends { readonly tlsClientCert?: string; readonly tlsClientCertKey?: string }>(
    owner: Owner,
  ): Owner => ({
    ...owner,
    tlsClientCert: file(owner.tlsClientCert),
    tlsClientCertKey: file(owner.tlsClientCertKey),
  });
  const { auth, proxy } = item;
  const token = auth?.openidToken;
  return {
    ...item,
    trustedRootCerts: file(item.trustedRootCerts),
    pinnedCert: file(item.pinnedCert),
    auth: auth && {
      ...certificate(auth),
      openidToken: typeof token === 'object' ? { path: resolve(token.path) } : token,
    },
    proxy: proxy && { ...proxy, auth: proxy.auth && certificate(proxy.auth) },
  };
}
