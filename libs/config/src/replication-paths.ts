import type { ReplicationConfig } from './edge-config.js';

/** A definition with the paths of the files that it names made absolute. A value that is PEM text itself names none. */
export function withPaths(item: ReplicationConfig, resolve: (path: string) => string): ReplicationConfig {
  const file = <Value extends string | undefined>(value: Value): Value =>
    (value === undefined || value.includes('-----BEGIN ') ? value : resolve(value)) as Value;
  const secret = <Value extends string | { readonly path: string } | undefined>(value: Value): Value =>
    (typeof value === 'object' ? { path: resolve(value.path) } : value) as Value;
  const certificate = <Owner extends { readonly tlsClientCert?: string; readonly tlsClientCertKey?: string }>(
    owner: Owner,
  ): Owner => ({
    ...owner,
    tlsClientCert: file(owner.tlsClientCert),
    tlsClientCertKey: file(owner.tlsClientCertKey),
  });
  const { auth, proxy } = item;
  return {
    ...item,
    trustedRootCerts: file(item.trustedRootCerts),
    pinnedCert: file(item.pinnedCert),
    auth: auth && {
      ...certificate(auth),
      password: secret(auth.password),
      openidToken: secret(auth.openidToken),
    },
    proxy: proxy && {
      ...proxy,
      auth: proxy.auth && { ...certificate(proxy.auth), password: secret(proxy.auth.password) },
    },
  };
}
