/**
 * The catalogue of every error that edgesync reports on purpose. It is also the manual: each entry says what the
 * code means and what the reader can do about it. Edges translate it: REST uses `http`, BLIP uses domain `HTTP`
 * with the same number unless `blip` names another pair.
 */
export interface CatalogueEntry {
  /** HTTP status of a REST reply, and code of a BLIP error reply in domain `HTTP`. */
  readonly http: number;
  /** BLIP error domain and code where they differ from `HTTP` and {@link http}. */
  readonly blip?: { readonly domain: string; readonly code: number };
  /** Seconds after which a REST client or an app may try again. Default for temporary errors: {@link RETRY_AFTER}. */
  readonly retryAfter?: number;
  /** The `reason` given when the thrower has nothing more exact to say. */
  readonly reason: string;
  /** The fix: what the caller or the operator can do. */
  readonly remedy: string;
}

const entry = (http: number, reason: string, remedy: string, blip?: CatalogueEntry['blip']): CatalogueEntry => ({
  http,
  reason,
  remedy,
  ...(blip && { blip }),
});

const later = (retryAfter: number, one: CatalogueEntry): CatalogueEntry => ({ ...one, retryAfter });

/** Seconds after which a temporary error is worth another try, unless its entry says otherwise. */
export const RETRY_AFTER = 1;

/** A peer gives a revision up after a permanent error reply, so what the operator can fix is temporary. */
const RETRY_LATER = { domain: 'HTTP', code: 503 };

export const CATALOGUE = {
  // Requests
  'request.invalid': entry(400, 'invalid request', 'Correct the request as the reason says.'),
  'request.json': entry(400, 'the body is not valid JSON', 'Send well-formed JSON in UTF-8.'),
  'request.parameter': entry(400, 'invalid parameter', 'Correct the named parameter.'),
  'request.unsupported': entry(501, 'not supported', 'Leave the option out.'),
  'request.too-large': entry(413, 'the body is larger than 20 MB', 'Send less in one request.'),
  'request.media-type': entry(415, 'the content type must be JSON', 'Send Content-Type: application/json.'),
  'request.not-acceptable': entry(406, 'the reply cannot have the asked type', 'Accept application/json.'),
  'request.path': entry(404, 'no such endpoint', 'Check the path against the REST reference.'),
  'request.method': entry(405, 'the endpoint does not take this method', 'Use a method listed in Allow.'),
  'request.upgrade': entry(403, 'this path does not take WebSocket upgrades', 'Connect to /{db}/_blipsync.'),
  'request.upgrade-required': entry(
    426,
    'this path takes WebSocket upgrades only',
    'Point a replicator at it, or use another path.',
  ),
  'request.subprotocol': entry(
    400,
    'no common replication sub-protocol',
    'Offer BLIP_3+CBMobile_2, BLIP_3+CBMobile_3 or BLIP_3+CBMobile_4.',
  ),
  'request.range': entry(416, 'the range lies outside of the content', 'Ask for bytes that the content has.'),
  'request.head-too-large': entry(
    431,
    'the request line and headers are too long',
    'Send shorter URLs and fewer headers.',
  ),
  'request.timeout': entry(408, 'the request did not arrive in time', 'Send requests without long pauses.'),
  'request.plain': entry(
    400,
    'this port speaks HTTPS, and the request came in plain HTTP: use https:// (wss:// for sync)',
    'Change the scheme of the URL.',
  ),
  'request.precondition': entry(412, 'precondition failed', 'Re-read and repeat with the current revision.'),

  // Who and what
  'auth.required': entry(401, 'authentication required', 'Send valid credentials.'),
  'auth.throttled': later(10, entry(429, 'too many failed attempts', 'Wait as Retry-After says.')),
  'access.denied': entry(403, 'forbidden', 'Ask the operator for the right or the role.'),
  'writes.disabled': entry(403, 'writing documents is disabled', 'Set enable_client_writes for the database.'),
  'sync.disabled': entry(403, 'sync is disabled for this database', 'Set enable_client_sync for the database.'),
  'sync.pull-only': entry(
    403,
    'Attempting to push to a pull-only replicator',
    'Replicate in pull direction, or open enable_client_sync or the access rules.',
  ),
  'sync.push-only': entry(
    403,
    'Attempting to pull from a push-only replicator',
    'Replicate in push direction, or open enable_client_sync or the access rules.',
  ),
  'replication.running': entry(
    409,
    'an equivalent replication is running',
    'Stop that one first, or leave it running.',
  ),
  'replication.limit': entry(
    503,
    'there is no room for more replications',
    'Stop some, or try again when others have ended.',
  ),
  'replication.missing': entry(404, 'no such replication', 'Look up the task IDs with GET /_replicate.'),
  'query.disabled': entry(
    403,
    'queries are not enabled for this database',
    'Set enable_adhoc_queries, or name queries in the configuration.',
  ),
  'query.unknown': entry(404, 'no such query', 'Check the name; GET /{keyspace}/_query lists them.'),
  'query.syntax': entry(400, 'syntax error', 'Correct the statement at the position named.'),
  'query.invalid': entry(400, 'invalid statement', 'Correct the statement as the reason says.'),
  'query.index-missing': entry(400, 'no such full-text index', 'Define the index in the configuration.'),
  'query.index-building': entry(503, 'the index is not complete yet', 'Try again when it is built.'),
  'query.parameter': entry(400, 'invalid query parameter', 'Send each parameter the statement names, and no other.'),
  'query.runtime': entry(400, 'the statement failed', 'Correct the statement or its parameters as the reason says.'),
  'query.limit': entry(
    400,
    'the statement has to hold too many rows',
    'Select fewer rows, or raise the limit of the configuration.',
  ),
  'query.timeout': entry(
    400,
    'the statement took longer than its time limit',
    'Select less, define an index for the statement, or raise the limit of the configuration.',
  ),
  'query.overloaded': entry(503, 'too many statements are running', 'Try again as Retry-After says.'),

  // Names
  'keyspace.invalid': entry(400, 'invalid keyspace', 'Use db, db.collection or db.scope.collection.'),
  'keyspace.unknown': entry(404, 'no such keyspace', 'Check the database and collection names.'),
  'doc-id.invalid': entry(400, 'invalid document ID', 'Use 1 to 240 bytes that do not start with an underscore.', {
    domain: 'LiteCore',
    code: 29,
  }),
  'rev.invalid': entry(400, 'invalid revision ID', 'Send a revision ID as the server returned it.'),
  'version.invalid': entry(400, 'invalid version', 'Send a version as time@source.'),
  'version.ahead': entry(
    503,
    'the version is more than two minutes ahead of the known time',
    'Set the clocks of client and server.',
  ),

  // Documents
  'doc.missing': entry(404, 'missing', 'The document does not exist.'),
  'doc.deleted': entry(404, 'deleted', 'The document was deleted.'),
  'doc.property-missing': entry(404, 'missing', 'The document has no such property.'),
  'doc.conflict': entry(409, 'Document update conflict', 'Read the current revision and repeat the change on it.'),
  'doc.invalid': entry(400, 'invalid document', 'Correct the document as the reason says.'),
  'doc.too-large': entry(413, 'the document is larger than 20 MB', 'Split the document or use blobs.'),
  'blob.unknown': entry(400, 'the document refers to a blob that is not stored', 'Upload the blob first.'),
  'blob.missing': entry(404, 'no such blob', 'Upload the blob first.'),
  'blob.invalid': entry(400, 'invalid blob', 'Send the bytes that the digest and length describe.'),
  'blob.too-large': entry(413, 'the blob is 20 MB or larger', 'Split the blob.'),
  'delta.base-unknown': entry(422, 'the delta’s base revision is not stored', 'Send the whole body.'),
  'delta.invalid': entry(422, 'the delta does not apply', 'Send the whole body.'),
  'checkpoint.missing': entry(404, 'missing', 'Start replicating from the beginning.'),
  'checkpoint.conflict': entry(409, 'checkpoint revision conflict', 'Read the checkpoint and repeat.'),

  // Storage
  'storage.busy': entry(503, 'the database is busy', 'Try again shortly.'),
  'storage.closed': entry(503, 'the database is closed', 'Try again shortly.'),
  'storage.unavailable': entry(503, 'storage is unavailable', 'Try again shortly.'),
  'storage.full': entry(507, 'the disk is full', 'Free disk space; the server goes on by itself.', RETRY_LATER),
  'storage.exhausted': entry(
    503,
    'the server has no file descriptors or memory left',
    'Raise the limit of open files or free memory; the server goes on by itself.',
    RETRY_LATER,
  ),
  'storage.read-only': entry(
    503,
    'the database cannot be written',
    'Fix the permissions; the server goes on by itself.',
    RETRY_LATER,
  ),
  'storage.corrupt': entry(500, 'the database is damaged', 'Restore it from a backup.', RETRY_LATER),
  'storage.foreign': entry(500, 'not an edgesync database', 'Point the path at another directory.'),
  'storage.locked': entry(500, 'the database is open in another process', 'Stop the other process.'),
  'storage.missing': entry(500, 'the database does not exist', 'Set create: true, or correct its name and path.'),
  'storage.failed': entry(500, 'storage failed', 'See the server’s log.', RETRY_LATER),

  // Between the processes of a split deployment
  'bus.version': entry(503, 'the processes speak different versions', 'Run the same release in all services.'),
  'bus.invalid': entry(500, 'malformed message', 'Run the same release in all services.', RETRY_LATER),

  'sync.no-worker': later(
    5,
    entry(503, 'no replication worker has room', 'Start replication workers; apps come back by themselves.'),
  ),
  'handshake.stale': entry(
    503,
    'the handshake is for a worker that is gone',
    'None is needed: apps come back by themselves, and the gateway knows the new worker by then.',
  ),
  'handshake.refused': entry(
    403,
    'not a handshake of a gateway',
    'Connect to the gateway. Give all services the same handshake secret and the right time.',
  ),

  'server.overloaded': later(5, entry(503, 'the server is over capacity', 'Try again as Retry-After says.')),
  'server.draining': later(5, entry(503, 'the server is shutting down', 'Try again shortly.')),
  'server.not-ready': entry(503, 'a database cannot be read or written', 'The log of the server names the database.'),
  'config.invalid': entry(500, 'invalid configuration', 'Correct the configuration as the message says.'),
  internal: entry(500, 'internal error', 'See the server’s log.', RETRY_LATER),
} as const satisfies Record<string, CatalogueEntry>;

/** The name of a catalogued error. */
export type ErrorCode = keyof typeof CATALOGUE;
