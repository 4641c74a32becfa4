import { checkDocId } from '@edgesync/document';
import { isEdgeError } from '@edgesync/errors';
import { collectionsWith } from './collection-shapes.js';
import type { ProxyConfig, ReplicatedCollection, ReplicationAuth, ReplicationConfig } from './edge-config.js';
import { HEADER_NAME, NOT_EMPTY } from './names.js';
import { checkEnds, checkMembers } from './replication-checks.js';
import {
  boolean,
  defaulted,
  dictionary,
  either,
  INVALID,
  integer,
  isObject,
  isPath,
  list,
  mapped,
  needing,
  object,
  oneOf,
  optional,
  required,
  text,
  type Invalid,
  type Place,
  type Shape,
} from './shape.js';

/* Every value that is sent somewhere is checked here for being sendable, so that it does not fail when it is used. */

/** Characters of the value of an HTTP header. */
const HEADER_VALUE = {
  pattern: /^[\t\x20-\x7e\x80-\xff]*$/,
  expects: 'text without line breaks, control characters and characters beyond Latin-1',
};
const COOKIE = {
  pattern: /^[\x21-\x7e][\x20-\x7e]*$/,
  expects: 'a session ID or a cookie, in ASCII, without line breaks',
};
const TOKEN = { pattern: /^[\x21-\x7e]+$/, expects: 'a token of ASCII characters without spaces and line breaks' };
/** HTTP Basic authentication ends a name at the first colon and allows no control characters (RFC 7617). */
const USER = {
  pattern: /^(?:[^:\x00-\x1f\x7f\ud800-\udfff]|[\ud800-\udbff][\udc00-\udfff])+$/,
  expects: 'a user name without ":" and control characters',
};
const PASSWORD = {
  pattern: /^(?:[^\x00-\x1f\x7f\ud800-\udfff]|[\ud800-\udbff][\udc00-\udfff])*$/,
  expects: 'a password without control characters such as line breaks',
};
/** Channels are sent as one list with commas between them. */
const CHANNEL = {
  pattern: /^(?:[^,\x00-\x1f\x7f\ud800-\udfff]|[\ud800-\udbff][\udc00-\udfff])+$/,
  expects: 'the name of a channel, without "," and control characters',
  visible: true,
};

/** Bytes that the channels of one collection may take: they must fit into the properties of one message. */
const MAX_CHANNEL_BYTES = 65_536;
/** The most that a peer takes in one subscription. */
const MAX_DOC_IDS = 100_000;

/** Headers of the handshake itself, and those that frame a message. */
const RESERVED_HEADER =
  /^(?:connection|upgrade|host|content-length|transfer-encoding|te|trailer|expect|keep-alive|proxy-connection|sec-websocket-.*)$/i;

const channels = mapped(list(text(CHANNEL)), (names, place) => {
  if (names.length === 0) return place.refuse('is empty', 'Name the channels, or remove the key to pull all of them.');
  const bytes = new TextEncoder().encode(names.join()).length;
  return bytes <= MAX_CHANNEL_BYTES
    ? names
    : place.refuse(`takes ${bytes} bytes`, `The names may take ${MAX_CHANNEL_BYTES} bytes together.`);
});

const docIds = mapped(list(mapped(text(NOT_EMPTY), checkedDocId)), (ids, place) => {
  if (ids.length === 0) return place.refuse('is empty', 'Name the documents, or remove the key to replicate all.');
  return ids.length <= MAX_DOC_IDS
    ? ids
    : place.refuse(`has ${ids.length} entries`, `It may have ${MAX_DOC_IDS} entries.`);
});

function checkedDocId(id: string, place: Place): string | Invalid {
  try {
    return checkDocId(id);
  } catch (error) {
    if (!isEdgeError(error)) throw error;
    return place.refuse('cannot be a document ID', `${error.message[0]!.toUpperCase()}${error.message.slice(1)}.`);
  }
}

const filterMembers = {
  channels: optional(channels, 'Pull only documents of these Sync Gateway channels.'),
  doc_ids: optional(docIds, 'Replicate only these documents.'),
};

const credentialMembers = {
  user: optional(text(USER), 'User name for HTTP Basic authentication; needs password.'),
  password: optional(
    either(text(PASSWORD), object({ path: required(text(NOT_EMPTY), 'The file that holds the password.') })),
    'Password for HTTP Basic authentication, or the file that holds it.',
  ),
};

const certificateMembers = {
  tls_client_cert: optional(text(NOT_EMPTY), 'Client certificate for mutual TLS, PEM or DER; needs its key.'),
  tls_client_cert_key: optional(text(NOT_EMPTY), 'Private key of the client certificate, PEM or DER.'),
};

interface Credentials {
  readonly user: string | undefined;
  readonly password: unknown;
  readonly openid_token: unknown;
  readonly tls_client_cert: string | undefined;
  readonly tls_client_cert_key: string | undefined;
}

function checkPairs(auth: Credentials, place: Place): void {
  if (auth.openid_token === undefined && (auth.user === undefined) !== (auth.password === undefined))
    place.refuse('has user or password without the other', 'Give both, or neither.');
  if ((auth.tls_client_cert === undefined) !== (auth.tls_client_cert_key === undefined))
    place.refuse('has a client certificate or key without the other', 'Give both, or neither.');
}

const authShape = mapped(
  object({
    ...credentialMembers,
    session_cookie: optional(text(COOKIE), 'ID of a Sync Gateway session.'),
    openid_token: optional(
      either(text(TOKEN), object({ path: required(text(NOT_EMPTY), 'The file that holds the token.') })),
      'Bearer token, or the file that holds it. Wins over user and password.',
    ),
    reconnect_on_token_change: defaulted(boolean(), false, 'Whether a new token in the file makes a new connection.'),
    ...certificateMembers,
  }),
  (auth, place): ReplicationAuth => {
    checkPairs(auth, place);
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

/** A host name or an IP address, the latter with or without brackets. */
const host: Shape<string> = mapped(text(NOT_EMPTY), (given, place) => {
  const bare = given.replace(/^\[(.*)\]$/, '$1');
  const url = URL.parse(`http://${bare.includes(':') ? `[${bare}]` : bare}:1/`);
  const isHost =
    url !== null && url.pathname === '/' && url.username === '' && url.port === '1' && !/[\s/?#@\\]/.test(bare);
  return isHost
    ? bare
    : place.refuse('is not a host', 'Write the name or the IP address alone; the port has its own key.');
});

const proxyShape = mapped(
  object({
    type: defaulted(oneOf(['HTTP', 'HTTPS']), 'HTTP', 'How the proxy itself is reached.'),
    host: required(host, 'Host name or address of the proxy.'),
    port: required(integer({ min: 1, max: 65535 }), 'Port of the proxy.'),
    auth: optional(
      mapped(
        object({
          ...credentialMembers,
          openid_token: optional(text(TOKEN), 'Bearer token for the proxy. Wins over user and password.'),
          ...certificateMembers,
        }),
        (auth, place) => {
          checkPairs(auth, place);
          return auth;
        },
      ),
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

const headers = mapped(dictionary(text(HEADER_VALUE), HEADER_NAME), (given, place) => {
  const seen = new Set<string>();
  let isSound = true;
  for (const name of given.keys()) {
    const problem = RESERVED_HEADER.test(name)
      ? 'belongs to the handshake'
      : seen.has(name.toLowerCase())
        ? 'stands twice: capitals do not matter'
        : undefined;
    seen.add(name.toLowerCase());
    if (problem !== undefined) place.at(name).refuse(problem, 'Remove it.');
    isSound &&= problem === undefined;
  }
  return isSound ? Object.fromEntries(given) : INVALID;
});

const definition = mapped(
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
    headers: optional(headers, 'Extra HTTP headers of the WebSocket handshake.'),
    trusted_root_certs: optional(text(NOT_EMPTY), 'PEM file of root certificates to trust instead of the system’s.'),
    pinned_cert: optional(text(NOT_EMPTY), 'File of the one certificate that the remote server may have.'),
    auth: optional(authShape, 'Credentials for the remote server.'),
    proxy: optional(proxyShape, 'A proxy to connect through.'),
  }),
  (item, place): ReplicationConfig => {
    const definition = {
      source: item.source,
      target: item.target,
      bidirectional: item.bidirectional,
      continuous: item.continuous,
      collections: item.collections,
      channels: item.channels,
      docIds: item.doc_ids,
      headers: item.headers,
      trustedRootCerts: item.trusted_root_certs,
      pinnedCert: item.pinned_cert,
      auth: item.auth,
      proxy: item.proxy,
    };
    checkMembers(definition, place);
    place.need({ kind: 'replication', key: place.path, definition });
    return definition;
  },
);

/** One item of `replications`, checked for itself but not against the databases of this server. */
export const replicationShape = needing(definition, (written, place) => {
  if (!isObject(written)) return;
  const { source, target } = written;
  if (isPath(source) && isPath(target)) checkEnds({ source, target }, place);
});
