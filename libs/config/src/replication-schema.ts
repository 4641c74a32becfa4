import { collectionsWith } from './database-schema.js';
import type { ProxyConfig, ReplicatedCollection, ReplicationAuth, ReplicationConfig } from './edge-config.js';
import { NOT_EMPTY } from './names.js';
import {
  boolean,
  defaulted,
  dictionary,
  either,
  integer,
  list,
  mapped,
  object,
  oneOf,
  optional,
  required,
  text,
} from './shape.js';

const strings = list(text(NOT_EMPTY));

const filterMembers = {
  channels: optional(strings, 'Pull only documents of these Sync Gateway channels.'),
  doc_ids: optional(strings, 'Replicate only these documents.'),
};

const clientCertificate = {
  tls_client_cert: optional(text(NOT_EMPTY), 'Client certificate for mutual TLS, PEM or DER; needs its key.'),
  tls_client_cert_key: optional(text(NOT_EMPTY), 'Private key of the client certificate, PEM or DER.'),
};

const authShape = mapped(
  object({
    user: optional(text(NOT_EMPTY), 'User name for HTTP Basic authentication; needs password.'),
    password: optional(text(), 'Password for HTTP Basic authentication.'),
    session_cookie: optional(text(NOT_EMPTY), 'ID of a Sync Gateway session.'),
    openid_token: optional(
      either(text(NOT_EMPTY), object({ path: required(text(NOT_EMPTY), 'The file that holds the token.') })),
      'Bearer token, or the file that holds it. Wins over user and password.',
    ),
    reconnect_on_token_change: defaulted(boolean(), false, 'Whether a new token in the file makes a new connection.'),
    ...clientCertificate,
  }),
  (auth, place): ReplicationAuth => {
    if (auth.openid_token === undefined && (auth.user === undefined) !== (auth.password === undefined))
      place.refuse('has user or password without the other', 'Give both, or neither.');
    if ((auth.tls_client_cert === undefined) !== (auth.tls_client_cert_key === undefined))
      place.refuse('has a client certificate or key without the other', 'Give both, or neither.');
    return {
      user: auth.user,
      password: auth.password,
      sessionCookie: auth.session_cookie,
      openidToken: auth.openid_token,
      reconnectOnTokenChange: auth.reconnect_on_token_change,
      tlsClientCert: auth.tls_client_cert,
      tlsClientCertKey: auth.tls_client_cert_key,
    };
  },
);

const proxyShape = mapped(
  object({
    type: defaulted(oneOf(['HTTP', 'HTTPS']), 'HTTP', 'How the proxy itself is reached.'),
    host: required(text(NOT_EMPTY), 'Host name or address of the proxy.'),
    port: required(integer({ min: 1, max: 65535 }), 'Port of the proxy.'),
    auth: optional(
      object({
        user: optional(text(NOT_EMPTY), 'User name at the proxy.'),
        password: optional(text(), 'Password at the proxy.'),
        openid_token: optional(text(NOT_EMPTY), 'Bearer token for the proxy.'),
        ...clientCertificate,
      }),
      'Credentials for the proxy.',
    ),
  }),
  ({ type, host, port, auth }): ProxyConfig => ({
    type,
    host,
    port,
    auth: auth && {
      user: auth.user,
      password: auth.password,
      openidToken: auth.openid_token,
      tlsClientCert: auth.tls_client_cert,
      tlsClientCertKey: auth.tls_client_cert_key,
    },
  }),
);

const collections = mapped(collectionsWith(object(filterMembers)), (chosen): ReplicatedCollection[] =>
  chosen.map(({ scope, collection, settings }) => ({
    scope,
    collection,
    channels: settings?.channels,
    docIds: settings?.doc_ids,
  })),
);

/** One item of `replications` (ref 3.5). What `source` and `target` mean is checked by `replication-checks.ts`. */
export const replicationShape = mapped(
  object({
    source: required(text(NOT_EMPTY), 'A database of this server, or the ws:// or wss:// URL of a remote one.'),
    target: required(text(NOT_EMPTY), 'A remote database if source is a local one, else a database of this server.'),
    bidirectional: defaulted(boolean(), false, 'Whether changes go both ways.'),
    continuous: defaulted(boolean(), false, 'Whether the replication goes on after it has caught up.'),
    collections: optional(
      collections,
      'The collections to replicate: a list, or an object with filters for each. Absent: the default collection.',
    ),
    ...filterMembers,
    headers: optional(
      dictionary(text(), { pattern: /^[!#$%&'*+.^_`|~0-9A-Za-z-]+$/, expects: 'the name of an HTTP header' }),
      'Extra HTTP headers of the WebSocket handshake.',
    ),
    trusted_root_certs: optional(text(NOT_EMPTY), 'PEM file of root certificates to trust instead of the system’s.'),
    pinned_cert: optional(text(NOT_EMPTY), 'File of the one certificate that the remote server may have.'),
    auth: optional(authShape, 'Credentials for the remote server.'),
    proxy: optional(proxyShape, 'A proxy to connect through.'),
  }),
  (item): ReplicationConfig => ({
    source: item.source,
    target: item.target,
    bidirectional: item.bidirectional,
    continuous: item.continuous,
    collections: item.collections,
    channels: item.channels,
    docIds: item.doc_ids,
    headers: item.headers && Object.fromEntries(item.headers),
    trustedRootCerts: item.trusted_root_certs,
    pinnedCert: item.pinned_cert,
    auth: item.auth,
    proxy: item.proxy,
  }),
);
