import type { SchemaName } from './schemas.js';

const REV = '1-3b1a6e1ff35f4c1d9ac7b5e0f0a1b2c3d4e5f607';
const DOCUMENT = { name: 'Hotel du Lac', city: 'Annecy', rooms: 42 };
const STORED = { _id: 'hotel_10025', _rev: REV, ...DOCUMENT };
const WRITTEN = { ok: true, id: 'hotel_10025', rev: REV };

/** Examples of schemas in the manual. A test checks each against its schema. */
export const EXAMPLES: Readonly<Partial<Record<SchemaName, unknown>>> = {
  Error: { status: 404, error: 'Not Found', reason: 'missing' },
  DatabaseNames: ['travel'],
  Document: DOCUMENT,
  StoredDocument: STORED,
  WriteReply: WRITTEN,
  BulkDocs: {
    docs: [
      { _id: 'hotel_1', name: 'Sea View' },
      { _id: 'hotel_2', _rev: REV, _deleted: true },
    ],
  },
  BulkDocsReply: [WRITTEN, { id: 'hotel_2', status: 409, error: 'Conflict', reason: 'Document update conflict' }],
  Listing: {
    rows: [{ key: 'hotel_10025', id: 'hotel_10025', value: { rev: REV }, doc: STORED }],
    total_rows: 1,
    update_seq: 7,
  },
  ListingParameters: { startkey: 'hotel_', limit: 10 },
  Changes: { results: [{ seq: 7, id: 'hotel_10025', changes: [{ rev: REV }] }], last_seq: 7 },
  ChangesParameters: { feed: 'longpoll', since: 7 },
  AdHocQuery: { query: 'SELECT name FROM _ WHERE city = $city', parameters: { city: 'Annecy' } },
  QueryRows: [{ name: 'Hotel du Lac' }],
  Replication: { source: 'wss://central.example:4984/travel', target: 'travel', continuous: true },
  ReplicationStarted: { ok: true, task_id: 1, session_id: 1 },
};
