/** One kind of event of the audit log. */
export interface AuditEventType {
  /** Stable: readers search for it. */
  readonly id: number;
  readonly name: string;
  readonly description: string;
  /** Whether it is recorded unless the configuration says otherwise. */
  readonly byDefault: boolean;
}

const event = (id: number, byDefault: boolean, name: string, description: string): AuditEventType => ({
  id,
  name,
  description,
  byDefault,
});

/** Every kind of event (docs/protocol/edge-server.md#audit-log). */
export const AUDIT_EVENTS = {
  serverStarted: event(57344, true, 'server started', 'The server began to serve its databases.'),
  serverStopped: event(57345, true, 'server stopped', 'The server was asked to stop and has stopped.'),
  httpRequest: event(57346, false, 'public HTTP request', 'An HTTP request was answered or given up.'),
  authenticated: event(57347, true, 'user authenticated', 'A request came with valid credentials of a user.'),
  authenticationFailed: event(
    57348,
    true,
    'user authentication failed',
    'A request was refused because its credentials are missing, wrong or came too often.',
  ),
  databaseRead: event(57349, false, 'read database', 'The description of a database or collection was read.'),
  databasesRead: event(57350, true, 'read all databases', 'The list of databases was read.'),
  changesFeedStarted: event(57351, true, 'changes feed started', 'A client began to read a changes feed.'),
  changesFeedEnded: event(57352, true, 'changes feed ended', 'A changes feed came to its end.'),
  replicationClientConnected: event(
    57353,
    true,
    'replication client connected',
    'An app opened a replication session with a database.',
  ),
  replicationClientDisconnected: event(
    57354,
    true,
    'replication client disconnected',
    'A replication session of an app ended.',
  ),
  replicationStarted: event(
    57355,
    true,
    'inter-server replication started',
    'This server began to replicate with another one.',
  ),
  replicationStopped: event(
    57356,
    true,
    'inter-server replication stopped',
    'A replication with another server stopped for good.',
  ),
  replicationConflict: event(
    57357,
    true,
    'inter-server replication conflict',
    'A replication with another server met and resolved a conflict.',
  ),
  documentCreated: event(57358, false, 'create document', 'A document was created over REST.'),
  documentRead: event(57359, false, 'read document', 'A document was read over REST.'),
  documentUpdated: event(57360, false, 'update document', 'A document was changed over REST.'),
  documentDeleted: event(57361, false, 'delete document', 'A document was deleted over REST.'),
  documentMetadataRead: event(
    57362,
    false,
    'read document metadata',
    'The headers of a document were read over REST (HEAD).',
  ),
  query: event(57363, true, 'query', 'A query was run.'),
} as const satisfies Record<string, AuditEventType>;

export type AuditEventName = keyof typeof AUDIT_EVENTS;
