import { databaseShape } from './database-schema.js';
import { parseListenAddress, DEFAULT_LISTEN_ADDRESS, LISTEN_ADDRESS } from './listen-address.js';
import { DEFAULT_LOGGING, loggingShape } from './logging-schema.js';
import { DATABASE_NAME, HEADER_NAME, NOT_EMPTY } from './names.js';
import { replicationShape } from './replication-schema.js';
import { checkOrigin, checkOrigins } from './cors-origin.js';
import {
  boolean,
  defaulted,
  dictionary,
  integer,
  isObject,
  isPath,
  list,
  mapped,
  needing,
  object,
  optional,
  required,
  text,
} from './shape.js';
import type { CorsConfig, HttpsConfig } from './edge-config.js';

const httpsShape = needing(
  mapped(
    object({
      tls_cert_path: required(text(NOT_EMPTY), 'Path of the server certificate, PEM (a chain may follow) or DER.'),
      tls_key_path: required(text(NOT_EMPTY), 'Path of the private key of the certificate, PEM or DER.'),
      client_cert_path: optional(
        text(NOT_EMPTY),
        'Path of the CA certificates that sign client certificates; turns on mutual TLS.',
      ),
    }),
    (https): HttpsConfig => ({
      certPath: https.tls_cert_path,
      keyPath: https.tls_key_path,
      clientCertPath: https.client_cert_path,
    }),
  ),
  (written, place) => {
    if (!isObject(written)) return;
    const paths = Object.entries(written).filter((entry): entry is [string, string] => isPath(entry[1]));
    place.need({ kind: 'https', key: place.path, paths: Object.fromEntries(paths) });
  },
);

const origin = mapped(text(NOT_EMPTY), checkOrigin);

const corsShape = mapped(
  object({
    origin: defaulted(
      mapped(list(origin), checkOrigins),
      [],
      'Origins whose pages may use the server, or ["*"] for any.',
    ),
    headers: defaulted(list(text(HEADER_NAME)), [], 'Request headers that pages may send, such as Content-Type.'),
    max_age: optional(integer({ min: 0 }), 'Seconds for which a browser may keep the answer to a preflight request.'),
  }),
  (cors): CorsConfig => ({ origin: cors.origin, headers: cors.headers, maxAge: cors.max_age }),
);

const listenShape = mapped(text(LISTEN_ADDRESS), (address, place) => {
  const parsed = parseListenAddress(address);
  return typeof parsed === 'string' ? place.refuse(parsed, `Write ${LISTEN_ADDRESS.expects}.`) : parsed;
});

const usersPath = needing(text(NOT_EMPTY), (written, place) => {
  if (isPath(written)) place.need({ kind: 'users', key: place.path, path: written });
});

/** The configuration file. */
export const configShape = object({
  $schema: optional(text(), 'Where editors find the schema of this file; the server ignores it.'),
  databases: required(
    dictionary(databaseShape, DATABASE_NAME),
    'The databases to serve: an object whose keys are the names that databases have in URLs.',
  ),
  interface: defaulted(
    listenShape,
    DEFAULT_LISTEN_ADDRESS,
    'Where to listen: "IP:port", "IP" or ":port". 127.0.0.1 is reached from this machine only.',
    '0.0.0.0:59840',
  ),
  users: optional(usersPath, 'Path of the users file.'),
  enable_anonymous_users: defaulted(boolean(), false, 'Whether requests may come without credentials.'),
  enable_user_access_control: defaulted(
    boolean(),
    false,
    'Whether the access rules of the users file are enforced, in every database that has no switch of its own.',
  ),
  https: optional(httpsShape, 'Serve TLS, and nothing but TLS.'),
  cors: optional(corsShape, 'Let web pages of other origins use the server. Off when absent.'),
  logging: defaulted(loggingShape, DEFAULT_LOGGING, 'What is logged, and where.', {}),
  replications: defaulted(list(replicationShape), [], 'Replications with other servers, started with this one.'),
});
