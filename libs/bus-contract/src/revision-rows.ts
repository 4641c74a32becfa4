import { EdgeError } from '@edgesync/errors';
import type { ChangePage, ChangeRow, DocumentRevision, ListPage, StoredRevision } from '@edgesync/ports';
import * as v from 'valibot';
import type { Content, Message } from './envelope.js';
import type { ReplyCodec } from './operation.js';
import { array, count, flag, nullable, object, oneOf, parse, text, type Infer } from './schema.js';

/*
 * Rows of documents. A row in JSON is a tuple, because the names of its members would outweigh it. Bodies travel beside
 * the metadata, in the order of their rows.
 */

const revisionTuple = v.tuple([text(), count(), text(), text(), text(), oneOf([0, 1]), nullable(v.number())]);
type RevisionTuple = Infer<typeof revisionTuple>;

const changeTuple = v.tuple([...revisionTuple.items, count(), nullable(oneOf([0, 1]))]);
type ChangeTuple = Infer<typeof changeTuple>;

const revisionsMeta = object({ rows: array(nullable(revisionTuple)) });
const listMeta = object({ rows: array(revisionTuple), more: flag() });
const changesMeta = object({ rows: array(changeTuple), scanned: count(), more: flag(), lastSequence: count() });

interface WithBodies {
  /** Whether bodies were asked for. */
  readonly body: boolean;
}

/** Revisions parallel to what was asked for; a gap stands for a document that was not found. */
export const revisionsReply: ReplyCodec<readonly (StoredRevision | undefined)[], WithBodies> = {
  version: 3,
  encode: (rows) => ({
    meta: { rows: rows.map((row) => (row ? revisionTupleOf(row) : null)) },
    bodies: bodiesOf(rows.filter((row) => row !== undefined)),
  }),
  decode(message, request) {
    const { rows } = parse('revisions', revisionsMeta, message.meta);
    const bodies = textsIn(message, rows.filter((row) => row !== null).length, request);
    let next = 0;
    return rows.map((tuple) => (tuple ? revisionOf(tuple, bodies?.[next++]) : undefined));
  },
};

export const revisionReply: ReplyCodec<DocumentRevision | undefined> = {
  version: revisionsReply.version,
  encode: (revision) => revisionsReply.encode([revision]),
  decode: (message) => revisionsReply.decode(message, { body: true })[0] as DocumentRevision | undefined,
};

export const listReply: ReplyCodec<ListPage, WithBodies> = {
  version: 3,
  encode: ({ rows, more }) => ({ meta: { rows: rows.map(revisionTupleOf), more }, bodies: bodiesOf(rows) }),
  decode(message, request) {
    const { rows, more } = parse('list', listMeta, message.meta);
    const bodies = textsIn(message, rows.length, request);
    return { rows: rows.map((tuple, index) => revisionOf(tuple, bodies?.[index])), more };
  },
};

/** The owner always sends text; whether the reader wants it decoded is in the request. */
export const changesReply: ReplyCodec<ChangePage, WithBodies & { readonly utf8: boolean }> = {
  version: 3,
  encode: ({ rows, scanned, more, lastSequence }) => ({
    meta: { rows: rows.map(changeTupleOf), scanned, more, lastSequence },
    bodies: bodiesOf(rows),
  }),
  decode(message, request) {
    const { rows, ...position } = parse('changes', changesMeta, message.meta);
    const bodies = request.utf8 ? viewsIn(message, rows.length, request) : textsIn(message, rows.length, request);
    return { rows: rows.map((tuple, index) => changeOf(tuple, bodies?.[index])), ...position };
  },
};

/** Rows have bodies either all or none. */
const bodiesOf = (rows: readonly (StoredRevision | ChangeRow)[]): Content['bodies'] =>
  rows.flatMap(({ body }) => (body === undefined ? [] : [body]));

const textsIn = (message: Message, rows: number, { body }: WithBodies): readonly string[] | undefined =>
  checkCount(message, body ? rows : 0) && body ? message.texts() : undefined;

const viewsIn = (message: Message, rows: number, { body }: WithBodies): readonly Uint8Array[] | undefined =>
  checkCount(message, body ? rows : 0) && body ? message.views() : undefined;

function checkCount({ bodyCount }: Message, expected: number): true {
  if (bodyCount !== expected) throw new EdgeError('bus.invalid', 'the reply has not as many bodies as rows');
  return true;
}

function revisionTupleOf(row: StoredRevision | ChangeRow): RevisionTuple {
  const { id, sequence, rev, vector, tree, deleted, expiresAt = null } = row;
  return [id, sequence, rev, vector, tree, deleted ? 1 : 0, expiresAt];
}

function changeTupleOf(row: ChangeRow): ChangeTuple {
  const { bodySize, blobs } = row;
  return [...revisionTupleOf(row), bodySize, blobs === undefined ? null : blobs ? 1 : 0];
}

function revisionOf<Body extends string | Uint8Array>(tuple: RevisionTuple | ChangeTuple, body: Body | undefined) {
  const [id, sequence, rev, vector, tree, deleted, expiresAt] = tuple;
  return {
    id,
    sequence,
    rev,
    vector,
    tree,
    deleted: deleted === 1,
    ...(expiresAt !== null && { expiresAt }),
    ...(body !== undefined && { body }),
  };
}

function changeOf(tuple: ChangeTuple, body: string | Uint8Array | undefined): ChangeRow {
  const [, , , , , , , bodySize, blobs] = tuple;
  return { ...revisionOf(tuple, body), bodySize, ...(blobs !== null && { blobs: blobs === 1 }) };
}
