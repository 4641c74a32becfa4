import type { Keyspace } from '@edgesync/document';
import type { QueryRunner, Storage } from '@edgesync/ports';
import type { Content, Message } from './envelope.js';
import { object, parse, text, type Members, type Schema, type Shape } from './schema.js';

/** Services of the owner of a database. */
export type StorageOwner = Storage & QueryRunner;

/** A request as it arrived, not checked yet. */
export interface ReceivedPayload {
  readonly operation: string;
  readonly database: string;
  readonly meta: unknown;
  /** Holds the bodies. */
  readonly message: Message;
}

/** How requests travel. */
export interface RequestCodec<Request> {
  /** Counts changes of what `encode` writes. */
  readonly version: number;
  encode(request: Request): Content;
  /** @throws EdgeError `bus.invalid` */
  decode(received: ReceivedPayload): Request;
}

/** How replies travel. */
export interface ReplyCodec<Reply, Request = unknown> {
  readonly version: number;
  encode(reply: Reply): Content;
  /** @throws EdgeError `bus.invalid` */
  decode(message: Message, request: Request): Reply;
}

/** Context of a request that the owner has besides the request. */
export interface CallContext {
  readonly database: string;
  /** See {@link OperationBase.keyed}. */
  readonly idempotencyKey?: string;
  /** The content of an upload: whole, or as it arrives. */
  readonly content: Uint8Array | AsyncIterable<Uint8Array>;
  /** Aborts a stream operation when its caller has gone, or when this process may not serve it any more. */
  readonly signal?: AbortSignal;
}

interface OperationBase<Request> {
  readonly request: RequestCodec<Request>;
  /** Whether a request changes something each time it is carried out. It then gets a key, and is done once per key. */
  keyed?(request: Request): boolean;
}

/** One request, one reply. */
export interface ValueOperation<Request, Reply> extends OperationBase<Request> {
  readonly kind: 'value';
  readonly reply: ReplyCodec<Reply, NoInfer<Request>>;
  /** The request comes with content of any size, which the owner reads as it arrives. */
  readonly upload?: true;
  call(storage: StorageOwner, request: Request, context: CallContext): Promise<Reply>;
}

/** One request; the reply is bytes of a known length, read as they arrive. */
export interface BytesOperation<Request> extends OperationBase<Request> {
  readonly kind: 'bytes';
  readonly reply: { readonly version: number };
  call(storage: StorageOwner, request: Request, context: CallContext): Promise<ByteStream>;
}

export interface ByteStream {
  readonly bytes: AsyncIterable<Uint8Array>;
  readonly length: number;
}

/**
 * One request; the reply is any number of items and an end, sent as fast as they are taken. An error may come in place of
 * each of them. The caller repeats the request only while it has no item.
 */
export interface StreamOperation<Request, Item, End> extends OperationBase<Request> {
  readonly kind: 'stream';
  /** Version of the stream's first message; items and end have their own. */
  readonly reply: { readonly version: number };
  readonly item: ReplyCodec<Item>;
  readonly end: ReplyCodec<End>;
  /** Resolves when the first item, or the end, is certain. */
  call(storage: StorageOwner, request: Request, context: CallContext): Promise<ItemStream<Item, End>>;
}

export interface ItemStream<Item, End> {
  readonly items: AsyncIterable<Item>;
  /** To be called when the items have ended by themselves. */
  end(): End;
}

export type Operation =
  ValueOperation<unknown, unknown> | BytesOperation<unknown> | StreamOperation<unknown, unknown, unknown>;

/** An operation of the table, with its name there. */
export type Named<T> = T & { readonly name: string };

export const valueOperation = <Request, Reply>(
  operation: Omit<ValueOperation<Request, Reply>, 'kind'>,
): ValueOperation<Request, Reply> => ({ kind: 'value', ...operation });

export const bytesOperation = <Request>(operation: Omit<BytesOperation<Request>, 'kind'>): BytesOperation<Request> => ({
  kind: 'bytes',
  ...operation,
});

export const streamOperation = <Request, Item, End>(
  operation: Omit<StreamOperation<Request, Item, End>, 'kind'>,
): StreamOperation<Request, Item, End> => ({ kind: 'stream', ...operation });

/** Gives each row of a table its key as its name. */
export function named<Table extends Record<string, Operation>>(
  table: Table,
): { readonly [Name in keyof Table]: Named<Table[Name]> } {
  const rows = Object.entries(table).map(([name, operation]) => [name, { ...operation, name }]);
  return Object.fromEntries(rows) as { [Name in keyof Table]: Named<Table[Name]> };
}

const only = (meta: unknown): Content => ({ meta, bodies: [] });

/** A request about the database: its members are the metadata. */
export function databaseRequest<M extends Members>(version: number, members: M): RequestCodec<Shape<M>> {
  const schema = object(members);
  return { version, encode: only, decode: ({ operation, meta }) => parse(operation, schema, meta) };
}

const collectionName = object({ scope: text(), collection: text() });

/** A request about one collection: the database is in the subject, scope and collection stand among the members. */
export function collectionRequest<M extends Members>(
  version: number,
  members: M,
): RequestCodec<Shape<M> & { readonly keyspace: Keyspace }> {
  const schema = object(members);
  return {
    version,
    encode: ({ keyspace: { scope, collection }, ...rest }) => only({ scope, collection, ...rest }),
    decode({ operation, database, meta }) {
      const { scope, collection } = parse(operation, collectionName, meta);
      return { ...parse(operation, schema, meta), keyspace: { database, scope, collection } };
    },
  };
}

/** A reply that is metadata only. */
export function metaReply<Reply>(version: number, name: string, schema: Schema<Reply>): ReplyCodec<Reply> {
  return { version, encode: only, decode: ({ meta }) => parse(name, schema, meta) };
}
