import { databaseShape } from './database-schema.js';
import { parseListenAddress, DEFAULT_LISTEN_ADDRESS, LISTEN_ADDRESS } from './listen-address.js';
import { DEFAULT_LOGGING, loggingShape } from './logging-schema.js';
import { DATABASE_NAME, NOT_EMPTY } from './names.js';
import { replicationShape } from './replication-schema.js';
import { boolean, defaulted, dictionary, integer, list, mapped, object, optional, required, text } from './shape.js';
import type { CorsConfig, HttpsConfig } from './edge-config.js';

const httpsShape = mapped(
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
);

const corsShape = mapped(
  object({
    origin: defaulted(list(text(NOT_EMPTY)), [], 'Origins whose pages may use the server, or ["*"] for any.'),
    headers: defaulted(list(text(NOT_EMPTY)), [], 'Request headers that pages may send, such as Content-Type.'),
    max_age: optional(integer({ min: 0 }), 'Seconds for which a browser may keep the answer to a preflight request.'),
  }),
  (cors): CorsConfig => ({ origin: cors.origin, headers: cors.headers, maxAge: cors.max_age }),
);

const listenShape = mapped(
  text(LISTEN_ADDRESS),
  (address, place) =>
    parseListenAddress(address) ??
    place.refuse(`is ${JSON.stringify(address)}`, `It must be ${LISTEN_ADDRESS.expects}.`),
);

/** The configuration file (ref 3.2). */
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
  users: optional(text(NOT_EMPTY), 'Path of the users file.'),
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
