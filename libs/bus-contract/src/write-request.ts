import type { Keyspace } from '@edgesync/document';
import { EdgeError } from '@edgesync/errors';
import type { Message } from './envelope.js';
import { Fields } from './fields.js';

/** One write as it travels: the body apart, the collection as an index into the batch's list. */
interface WriteItem {
  readonly collection: number;
  readonly id: string;
  readonly deleted: boolean;
  /** Of a removal without a trace; nothing else matters then. */
  readonly purge?: true;
  /** Of an edit. */
  readonly expect?: string;
  readonly expiresAt?: number;
  /** Of a revision made elsewhere. */
  readonly rev?: string;
  readonly history?: string;
  readonly closedBranch?: string;
  readonly onConflict?: OnConflict;
}

const ON_CONFLICT = ['refuse', 'branch', 'resolve'] as const;
type OnConflict = (typeof ON_CONFLICT)[number];

/** A change made here; absent fields mean what they mean to the storage port. */
export interface EditWrite {
  readonly type: 'edit';
  readonly keyspace: Keyspace;
  readonly id: string;
  readonly expect?: string;
  readonly deleted: boolean;
  readonly body: string;
  readonly expiresAt?: number;
}

/** A revision made elsewhere. */
export interface RevisionWrite {
  readonly type: 'revision';
  readonly keyspace: Keyspace;
  readonly id: string;
  readonly rev: string;
  readonly history: string;
  readonly closedBranch?: string;
  readonly deleted: boolean;
  readonly body: string;
  readonly onConflict: OnConflict;
}

/** A removal without a trace. */
export interface PurgeWrite {
  readonly type: 'purge';
  readonly keyspace: Keyspace;
  readonly id: string;
}

export type Write = EditWrite | RevisionWrite | PurgeWrite;

/** A batch of writes, applied in one transaction. The bodies are the message's bodies, in the order of the items. */
export class WriteBatchRequest {
  static readonly version = 2;

  private constructor(
    /** Scope and collection, each once. */
    readonly collections: readonly (readonly [scope: string, collection: string])[],
    readonly items: readonly WriteItem[],
  ) {}

  static of(writes: readonly Write[]): WriteBatchRequest {
    const collections: [string, string][] = [];
    const known = new Map<string, number>();
    const items = writes.map((write) => {
      const { scope, collection: name } = write.keyspace;
      const key = `${scope}.${name}`;
      let collection = known.get(key);
      if (collection === undefined) known.set(key, (collection = collections.push([scope, name]) - 1));
      return itemOf(collection, write);
    });
    return new WriteBatchRequest(collections, items);
  }

  static parse(meta: unknown): WriteBatchRequest {
    const fields = new Fields('write', meta);
    const collections = fields.list('collections').map((pair) => {
      const [scope, collection] = (Array.isArray(pair) ? pair : []) as unknown[];
      if (typeof scope !== 'string' || typeof collection !== 'string') throw invalid('a collection has no name');
      return [scope, collection] as const;
    });
    const items = fields.list('items');
    items.forEach((item) => checkItem(item, collections.length));
    return new WriteBatchRequest(collections, items as WriteItem[]);
  }

  /** The writes with their bodies, for the database that the subject named. @throws EdgeError `bus.invalid` */
  writes(database: string, message: Message): Write[] {
    const bodies = message.texts();
    if (bodies.length !== this.items.length) throw invalid('there are not as many bodies as writes');
    const keyspaces = this.collections.map(([scope, collection]) => ({ database, scope, collection }));
    return this.items.map(({ collection, rev, purge, ...item }, index) => {
      if (purge) return { type: 'purge', keyspace: keyspaces[collection]!, id: item.id };
      const common = { ...item, keyspace: keyspaces[collection]!, body: bodies[index]! };
      return rev === undefined
        ? { type: 'edit', ...common }
        : { type: 'revision', rev, history: '', onConflict: 'refuse', ...common };
    });
  }
}

function itemOf(collection: number, write: Write): WriteItem {
  const { id } = write;
  if (write.type === 'purge') return { collection, id, deleted: false, purge: true };
  const { deleted } = write;
  if (write.type === 'edit') {
    const { expect, expiresAt } = write;
    return {
      collection,
      id,
      deleted,
      ...(expect !== undefined && { expect }),
      ...(expiresAt !== undefined && { expiresAt }),
    };
  }
  const { rev, history, closedBranch, onConflict } = write;
  return { collection, id, deleted, rev, history, onConflict, ...(closedBranch !== undefined && { closedBranch }) };
}

function checkItem(item: unknown, collections: number): void {
  const fields = new Fields('write.item', item);
  if (fields.count('collection') >= collections) throw invalid('a write names no collection of the batch');
  fields.text('id');
  fields.flag('deleted');
  const { purge } = item as { purge?: unknown };
  if (purge !== undefined && purge !== true) throw invalid('a purge is not marked by true');
  if (fields.optionalText('rev') === undefined) {
    fields.optionalText('expect');
    const expiresAt = (item as { expiresAt?: unknown }).expiresAt;
    if (expiresAt !== undefined && typeof expiresAt !== 'number') throw invalid('an expiry is not a number');
  } else {
    fields.text('history');
    fields.optionalText('closedBranch');
    fields.oneOf('onConflict', ON_CONFLICT);
  }
}

const invalid = (reason: string): EdgeError => new EdgeError('bus.invalid', reason);
