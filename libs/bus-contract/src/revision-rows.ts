import { EdgeError } from '@edgesync/errors';
import type { ChangePage, ChangeRow, DocumentRevision, ListPage } from '@edgesync/ports';
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

/** Revisions parallel to what was asked for; a gap stands for a document that was not found. */
export const revisionsReply: ReplyCodec<readonly (DocumentRevision | undefined)[]> = {
  version: 2,
  encode: (rows) => ({
    meta: { rows: rows.map((row) => (row ? revisionTupleOf(row) : null)) },
    bodies: rows.flatMap((row) => (row ? [row.body] : [])),
  }),
  decode(message) {
    const { rows } = parse('revisions', revisionsMeta, message.meta);
    const bodies = message.texts();
    let next = 0;
    const revisions = rows.map((tuple) => (tuple ? revisionOf(tuple, bodies[next++] ?? '') : undefined));
    if (next !== bodies.length) throw miscounted();
    return revisions;
  },
};

export const revisionReply: ReplyCodec<DocumentRevision | undefined> = {
  version: revisionsReply.version,
  encode: (revision) => revisionsReply.encode([revision]),
  decode: (message, request) => revisionsReply.decode(message, request)[0],
};

export const listReply: ReplyCodec<ListPage> = {
  version: 2,
  encode: ({ rows, more }) => ({ meta: { rows: rows.map(revisionTupleOf), more }, bodies: bodiesOf(rows) }),
  decode(message) {
    const { rows, more } = parse('list', listMeta, message.meta);
    const bodies = bodiesIn(message, rows.length, false);
    return { rows: rows.map((tuple, index) => revisionOf(tuple, bodies[index] as string)), more };
  },
};

/** The owner always sends text; whether the reader wants it decoded is in the request. */
export const changesReply: ReplyCodec<ChangePage, { readonly utf8: boolean }> = {
  version: 2,
  encode: ({ rows, scanned, more, lastSequence }) => ({
    meta: { rows: rows.map(changeTupleOf), scanned, more, lastSequence },
    bodies: bodiesOf(rows),
  }),
  decode(message, { utf8 }) {
    const { rows, ...position } = parse('changes', changesMeta, message.meta);
    const bodies = bodiesIn(message, rows.length, utf8);
    return { rows: rows.map((tuple, index) => changeOf(tuple, bodies[index]!)), ...position };
  },
};

const bodiesOf = (rows: readonly DocumentRevision[]): Content['bodies'] => rows.map(({ body }) => body);

function bodiesIn(message: Message, rows: number, utf8: boolean): readonly (string | Uint8Array)[] {
  if (message.bodyCount !== rows) throw miscounted();
  return utf8 ? message.views() : message.texts();
}

function revisionTupleOf(row: DocumentRevision): RevisionTuple {
  const { id, sequence, rev, vector, tree, deleted, expiresAt = null } = row;
  return [id, sequence, rev, vector, tree, deleted ? 1 : 0, expiresAt];
}

function changeTupleOf(row: ChangeRow): ChangeTuple {
  const { bodySize, blobs } = row;
  return [...revisionTupleOf(row), bodySize, blobs === undefined ? null : blobs ? 1 : 0];
}

function revisionOf(tuple: RevisionTuple | ChangeTuple, body: string): DocumentRevision {
  const [id, sequence, rev, vector, tree, deleted, expiresAt] = tuple;
  const row = { id, sequence, rev, vector, tree, deleted: deleted === 1, body };
  return expiresAt === null ? row : { ...row, expiresAt };
}

function changeOf(tuple: ChangeTuple, content: string | Uint8Array): ChangeRow {
  const [, , , , , , , bodySize, blobs] = tuple;
  const isText = typeof content === 'string';
  return {
    ...revisionOf(tuple, isText ? content : ''),
    bodySize,
    ...(blobs !== null && { blobs: blobs === 1 }),
    // One that was not asked for is empty, as it is in text.
    ...(!isText && content.byteLength > 0 && { utf8: content }),
  };
}

const miscounted = (): EdgeError => new EdgeError('bus.invalid', 'the reply has not as many bodies as rows');
