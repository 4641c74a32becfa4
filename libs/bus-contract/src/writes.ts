import { CATALOGUE, EdgeError, type ErrorCode } from '@edgesync/errors';
import type { WriteRequest, WriteResult } from '@edgesync/ports';
import * as v from 'valibot';
import { metaReply, type ReplyCodec, type RequestCodec } from './operation.js';
import { array, count, flag, literal, object, oneOf, optional, parse, text } from './schema.js';

/*
 * A write travels as the port has it, but for its keyspace, which is an index into the batch's collections, and its
 * body, which is one of the message's.
 */

const target = { collection: count(), id: text() };
const batch = object({
  /** Scope and collection, each once. */
  collections: array(v.tuple([text(), text()])),
  items: array(
    v.variant('type', [
      object({
        ...target,
        type: literal('edit'),
        deleted: flag(),
        expect: optional(text()),
        expiresAt: optional(v.number()),
      }),
      object({
        ...target,
        type: literal('revision'),
        deleted: flag(),
        rev: text(),
        history: text(),
        closedBranch: optional(text()),
        onConflict: oneOf(['refuse', 'branch', 'resolve']),
      }),
      object({ ...target, type: literal('purge') }),
    ]),
  ),
});

/** A batch of writes. The bodies are those of edits and revisions, in their order. */
export const writeRequest: RequestCodec<readonly WriteRequest[]> = {
  version: 3,
  encode(writes) {
    const collections: [string, string][] = [];
    const known = new Map<string, number>();
    const bodies: string[] = [];
    const items = writes.map((write) => {
      const { scope, collection: name } = write.keyspace;
      const key = `${scope}.${name}`;
      let collection = known.get(key);
      if (collection === undefined) known.set(key, (collection = collections.push([scope, name]) - 1));
      if (write.type !== 'purge') bodies.push(write.body);
      return { ...write, keyspace: undefined, body: undefined, collection };
    });
    return { meta: { collections, items }, bodies };
  },
  decode({ operation, database, meta, message }) {
    const { collections, items } = parse(operation, batch, meta);
    const keyspaces = collections.map(([scope, collection]) => ({ database, scope, collection }));
    const bodies = message.texts();
    let next = 0;
    const writes = items.map(({ collection, ...item }): WriteRequest => {
      const keyspace = keyspaces[collection];
      if (!keyspace) throw new EdgeError('bus.invalid', 'a write names no collection of the batch');
      return item.type === 'purge' ? { ...item, keyspace } : { ...item, keyspace, body: bodies[next++] ?? '' };
    });
    if (next !== bodies.length) throw new EdgeError('bus.invalid', 'there are not as many bodies as writes');
    return writes;
  },
};

/** A code of a later release is `internal` here. */
const errorCode = v.pipe(
  text(),
  v.transform((code) => (Object.hasOwn(CATALOGUE, code) ? (code as ErrorCode) : 'internal')),
);
const id = text();
const revision = { id, rev: text(), vector: optional(text()), sequence: count() };

export const writeReply: ReplyCodec<readonly WriteResult[]> = metaReply(
  3,
  'write results',
  array(
    v.variant('status', [
      object({
        ...revision,
        status: literal('stored'),
        resolved: optional(oneOf(['local', 'remote'])),
      }),
      object({ ...revision, status: literal('known') }),
      object({ id, status: literal('conflict'), rev: text(), vector: text(), deleted: flag() }),
      object({ id, status: literal('purged') }),
      object({ id, status: literal('missing'), deleted: flag() }),
      object({ id, status: literal('refused'), code: errorCode, reason: text() }),
    ]),
  ),
);
