/** JSON Schemas (2020-12) of what the API takes and returns. */

const text = (description: string) => ({ type: 'string', description });
const count = (description: string) => ({ type: 'integer', minimum: 0, description });
const REV = text('Revision: a rev-tree ID such as `2-9f…`.');
const CV = text('Version of the same revision, `time@source`.');

export const SCHEMAS = {
  Error: {
    type: 'object',
    required: ['status', 'error', 'reason'],
    additionalProperties: false,
    properties: {
      status: { type: 'integer', minimum: 400, maximum: 599 },
      error: text('Text of the status.'),
      reason: text('What is wrong, for a person. `missing` and `deleted` are exact words.'),
    },
  },
  ServerInfo: {
    type: 'object',
    required: ['couchdb', 'vendor', 'version', 'edgesync'],
    properties: {
      couchdb: { const: 'Welcome' },
      vendor: {
        type: 'object',
        required: ['name', 'version'],
        properties: { name: { type: 'string' }, version: { type: 'string' } },
      },
      version: text('Product and version, `product/x.y.z (build; edition)`.'),
      edgesync: { type: 'object', required: ['version'], properties: { version: text('Version of this server.') } },
    },
  },
  ServerState: { type: 'object', required: ['status'], properties: { status: { const: 'ok' } } },
  DatabaseNames: { type: 'array', items: { type: 'string' } },
  DatabaseInfo: {
    type: 'object',
    required: ['db_name', 'db_uuid', 'collections'],
    additionalProperties: false,
    properties: {
      db_name: { type: 'string' },
      db_uuid: { type: 'string', pattern: '^[0-9a-f]{32}$' },
      collections: {
        type: 'object',
        description: 'By name: `_default`, others as `scope.collection`.',
        additionalProperties: {
          type: 'object',
          required: ['doc_count', 'update_seq'],
          additionalProperties: false,
          properties: { doc_count: count('Live documents.'), update_seq: count('Last sequence.') },
        },
      },
    },
  },
  CollectionInfo: {
    type: 'object',
    required: [
      'db_name',
      'db_uuid',
      'scope_name',
      'collection_name',
      'doc_count',
      'update_seq',
      'committed_update_seq',
    ],
    additionalProperties: false,
    properties: {
      db_name: { type: 'string' },
      db_uuid: { type: 'string', pattern: '^[0-9a-f]{32}$' },
      scope_name: { type: 'string' },
      collection_name: { type: 'string' },
      doc_count: count('Live documents.'),
      update_seq: count('Last sequence.'),
      committed_update_seq: count('The same: every sequence is durable.'),
    },
  },
  Document: {
    type: 'object',
    description: 'Any JSON object. Top-level properties that start with an underscore are metadata and not stored.',
    properties: {
      _id: text('ID, 1 to 240 bytes of UTF-8, not starting with an underscore.'),
      _rev: text('The revision that this one replaces.'),
      _deleted: { type: 'boolean', description: 'Delete the document.' },
    },
    additionalProperties: true,
  },
  StoredDocument: {
    type: 'object',
    required: ['_id', '_rev'],
    properties: {
      _id: text('ID.'),
      _rev: REV,
      _deleted: { const: true, description: 'The revision is a tombstone.' },
      _cv: CV,
    },
    additionalProperties: true,
  },
  WriteReply: {
    type: 'object',
    required: ['ok', 'id', 'rev'],
    additionalProperties: false,
    properties: {
      ok: { const: true },
      id: text('ID of the document.'),
      rev: REV,
      cv: CV,
      expires: count('Unix seconds at which the document expires, if the request set that.'),
    },
  },
  Failure: {
    type: 'object',
    required: ['status', 'error', 'reason'],
    additionalProperties: false,
    properties: {
      id: text('ID of the item, if it has one.'),
      status: { type: 'integer', minimum: 400, maximum: 599 },
      error: text('Text of the status.'),
      reason: text('What is wrong.'),
    },
  },
  BulkDocs: {
    type: 'object',
    required: ['docs'],
    properties: {
      docs: { type: 'array', items: { $ref: '#/components/schemas/Document' } },
      new_edits: { type: 'boolean', default: true, description: 'false: store the revisions as they are.' },
    },
  },
  BulkDocsReply: {
    type: 'array',
    items: { anyOf: [{ $ref: '#/components/schemas/WriteReply' }, { $ref: '#/components/schemas/Failure' }] },
  },
  Listing: {
    type: 'object',
    required: ['rows', 'total_rows', 'update_seq'],
    additionalProperties: false,
    properties: {
      rows: {
        type: 'array',
        items: {
          type: 'object',
          required: ['key', 'id', 'value'],
          additionalProperties: false,
          properties: {
            key: text('The ID again.'),
            id: text('ID.'),
            value: { type: 'object', required: ['rev'], additionalProperties: false, properties: { rev: REV, cv: CV } },
            doc: { $ref: '#/components/schemas/StoredDocument' },
          },
        },
      },
      total_rows: count('Number of rows in this reply.'),
      update_seq: count('Last sequence of the collection.'),
    },
  },
  ListingParameters: { type: 'object', description: 'Filled in from the parameters of the GET form.' },
  Changes: {
    type: 'object',
    required: ['results', 'last_seq'],
    additionalProperties: false,
    properties: {
      results: { type: 'array', items: { $ref: '#/components/schemas/Change' } },
      last_seq: count('Where to go on: the value of `since` for the next request.'),
    },
  },
  Change: {
    type: 'object',
    required: ['seq', 'id', 'changes'],
    additionalProperties: false,
    properties: {
      seq: { type: 'integer', minimum: 1, description: 'Sequence.' },
      id: text('ID of the document.'),
      deleted: { const: true, description: 'The document was deleted.' },
      changes: {
        type: 'array',
        minItems: 1,
        items: { type: 'object', required: ['rev'], additionalProperties: false, properties: { rev: REV } },
      },
      doc: { $ref: '#/components/schemas/StoredDocument' },
    },
  },
  ChangesParameters: { type: 'object', description: 'Filled in from the parameters of the GET form.' },
  ActiveTasks: {
    type: 'array',
    items: {
      type: 'object',
      required: ['task_id', 'type', 'age_secs'],
      properties: {
        task_id: { type: 'integer', minimum: 1, description: 'Number of the task, in the audit log too.' },
        type: { enum: ['changes', 'query', 'index', 'sync', 'replication'] },
        age_secs: count('Seconds since it began.'),
        ks: text('Keyspace of a feed; database of a sync session.'),
        args: text('Parameters of a feed, as a query string.'),
        query: text('Name of a live query. Absent: an ad hoc one.'),
        index: text('Name of an index that is being built.'),
        done: count('Documents that the build has passed.'),
        total: count('Documents of its collection.'),
        db: text('Database.'),
        user: text('Name of the user. Absent: an anonymous one.'),
        ip: text('Address of the client.'),
        error: { description: 'What is wrong, if something is.' },
      },
    },
  },
  AdHocQuery: {
    type: 'object',
    required: ['query'],
    properties: {
      query: text('A SQL++ SELECT statement.'),
      parameters: { type: ['object', 'null'], description: 'Values by name, without the `$`.' },
      params: { type: ['object', 'null'], description: 'Another name for `parameters`.' },
    },
  },
  ExplainedQuery: {
    type: 'object',
    description: 'A statement, or the name of a query.',
    properties: {
      query: text('A SQL++ SELECT statement.'),
      name: text('Name of a query of the configuration.'),
      parameters: { type: ['object', 'null'], description: 'Values by name, without the `$`.' },
    },
  },
  QueryRows: { type: 'array', items: { type: 'object' }, description: 'One object for each row, keys in order.' },
  NamedQueries: {
    type: 'array',
    items: {
      type: 'object',
      required: ['name', 'parameters', 'optional'],
      additionalProperties: false,
      properties: {
        name: text('Name of the query.'),
        parameters: { type: 'array', items: { type: 'string' }, description: 'Parameters that have to be given.' },
        optional: { type: 'array', items: { type: 'string' }, description: 'Parameters that may be left out.' },
      },
    },
  },
  QueryPlan: {
    type: 'object',
    required: ['plan', 'hints'],
    additionalProperties: false,
    properties: {
      plan: { type: 'array', items: { type: 'string' }, description: 'A sentence for each step.' },
      hints: { type: 'array', items: { type: 'string' }, description: 'Ways to make it faster, such as an index.' },
    },
  },
  Ok: { type: 'object', required: ['ok'], properties: { ok: { const: true } }, additionalProperties: false },
  Replication: {
    type: 'object',
    description: 'The keys of an item of `replications` in the configuration file. Keys may be null, meaning absent.',
    required: ['source', 'target'],
    properties: {
      source: text('A database of this server, or the ws:// or wss:// URL of a remote one.'),
      target: text('A remote database if source is a local one, else a database of this server.'),
      bidirectional: { type: ['boolean', 'null'], default: false },
      continuous: { type: ['boolean', 'null'], default: false },
      collections: {
        description:
          'Names, or an object of names and filters (`channels`, `doc_ids`). Absent: the default collection.',
        type: ['array', 'object', 'null'],
      },
      channels: { type: ['array', 'null'], items: { type: 'string' } },
      doc_ids: { type: ['array', 'null'], items: { type: 'string' } },
      headers: { type: ['object', 'null'], additionalProperties: { type: 'string' } },
      trusted_root_certs: { type: ['string', 'null'], description: 'PEM text of root certificates.' },
      pinned_cert: { type: ['string', 'null'], description: 'PEM text of the one certificate the server may have.' },
      auth: {
        type: ['object', 'null'],
        description: '`user` and `password`, `session_cookie`, `openid_token`, or certificates.',
      },
      proxy: { type: ['object', 'null'], description: '`type`, `host`, `port`, `auth`.' },
    },
    additionalProperties: true,
  },
  ReplicationStarted: {
    type: 'object',
    required: ['ok', 'task_id', 'session_id'],
    additionalProperties: false,
    properties: { ok: { const: true }, task_id: count('Its number.'), session_id: count('The same number.') },
  },
  ReplicationStatus: {
    type: 'object',
    required: ['task_id', 'session_id', 'age_secs', 'type', 'source', 'target', 'updated_on', 'status'],
    additionalProperties: false,
    properties: {
      task_id: count('Its number.'),
      session_id: count('The same number.'),
      age_secs: count('Seconds since it was started.'),
      type: { const: 'replication' },
      source: text('Where documents come from: a local name, or a URL without credentials.'),
      target: text('Where they go to.'),
      continuous: { const: true },
      bidirectional: { const: true },
      updated_on: count('Unix seconds at which something changed last.'),
      status: { enum: ['Stopped', 'Offline', 'Connecting', 'Idle', 'Active'] },
      progress: { type: 'integer', minimum: 0, maximum: 100, description: 'Percent of the work that is known.' },
      docs_read: count('Documents pulled.'),
      docs_written: count('Documents pushed.'),
      docs_transferred: count('Documents pulled and pushed.'),
      docs_pending: count('Documents known to wait.'),
      docs_failed: count('Documents that one side refused for good.'),
      conflicts_resolved: count('Conflicts that were met and resolved.'),
      bytes_received: count('Bytes on the wire.'),
      bytes_sent: count('Bytes on the wire.'),
      last_success: count('Unix seconds at which both sides were equal last.'),
      next_retry: count('Unix seconds of the next attempt.'),
      error: {
        type: 'object',
        required: ['error', 'x-litecore-domain', 'x-litecore-code'],
        properties: {
          error: text('What is wrong.'),
          'x-litecore-domain': { type: 'integer' },
          'x-litecore-code': { type: 'integer' },
        },
      },
    },
  },
  Replications: { type: 'array', items: { $ref: '#/components/schemas/ReplicationStatus' } },
} as const satisfies Record<string, object>;

export type SchemaName = keyof typeof SCHEMAS;
