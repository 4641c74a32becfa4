import { MessageType } from '@edgesync/blip';
import { changeRows, type ChangeRow, jsonOf, profileOf, type RecordedMessage, textOf } from './recorded-messages.js';

/** A revision that the recorded server had from somewhere else. */
export interface SeedRevision {
  /** Index of its collection. */
  readonly collection: number;
  readonly id: string;
  readonly rev: string;
  readonly history: string;
  readonly deleted: boolean;
  readonly body: string;
}

/** Data that the server needs so that a recorded conversation repeats itself. */
export interface ServerState {
  /** Names by index; `_default` alone in the form without getCollections. */
  readonly collections: readonly string[];
  /** Checkpoints by collection index and client. */
  readonly checkpoints: readonly { readonly collection: number; readonly client: string; readonly body: string }[];
  /** Revisions the client knows, older than those it is offered. */
  readonly old: readonly SeedRevision[];
  /** Revisions the client is offered when it subscribes. */
  readonly backlog: readonly SeedRevision[];
  /** Revisions that another client pushed meanwhile, by their position among the recorded messages. */
  readonly live: ReadonlyMap<number, readonly SeedRevision[]>;
  /** Blobs of those revisions. */
  readonly blobs: ReadonlyMap<string, Uint8Array>;
}

/** A body that a recording does not show: the base of a pushed delta. */
export type KnownBodies = Readonly<Record<string, string>>;

/** Reads from a recording what the server held. @param stored revisions it has from earlier connections, as `id rev` */
export function serverState(
  messages: readonly RecordedMessage[],
  stored: ReadonlySet<string>,
  known: KnownBodies,
): ServerState {
  const collectionOf = ({ properties }: RecordedMessage): number => Number(properties.get('collection') ?? 0);
  const pushed = new Set<string>();
  const seeded = new Set(stored);
  const old: SeedRevision[] = [];
  const backlog: SeedRevision[] = [];
  const live = new Map<number, SeedRevision[]>();
  const caughtUp = new Set<number>();

  const seed = (collection: number, id: string, rev: string, deleted: boolean): SeedRevision | undefined => {
    const key = `${collection} ${id} ${rev}`;
    if (seeded.has(key) || pushed.has(key)) return undefined;
    seeded.add(key);
    const sent = messages.find(
      (message) =>
        message.from === 'server' &&
        profileOf(message) === 'rev' &&
        message.properties.get('id') === id &&
        message.properties.get('rev') === rev,
    );
    const body = sent ? textOf(sent) : (known[`${id} ${rev}`] ?? '{}');
    return { collection, id, rev, history: sent?.properties.get('history') ?? '', deleted, body };
  };
  const add = (list: SeedRevision[], revision: SeedRevision | undefined): void => {
    if (revision) list.push(revision);
  };

  for (const [index, message] of messages.entries()) {
    const collection = collectionOf(message);
    const profile = profileOf(message);
    if (message.from === 'client' && profile === 'rev')
      pushed.add(`${collection} ${message.properties.get('id')} ${message.properties.get('rev')}`);
    if (message.from === 'client' && profile === 'proposeChanges') {
      const reply = replyTo(messages, message);
      for (const [row, [id, rev, parent]] of changeRows(message)
        .map((row) => row as unknown as string[])
        .entries()) {
        const answer = (reply ? ((jsonOf(reply) as unknown[] | undefined) ?? []) : [])[row] ?? 0;
        if (answer === 304) add(old, seed(collection, id!, rev!, false));
        else if (typeof answer === 'object') add(old, seed(collection, id!, (answer as { rev: string }).rev, false));
        else if (parent) add(old, seed(collection, id!, parent, false));
      }
    }
    if (message.from !== 'server' || profile !== 'changes') continue;
    const wanted = (jsonOf(replyTo(messages, message) ?? NOTHING) ?? []) as unknown[];
    for (const [row, [, id]] of changeRows(message).entries())
      for (const base of Array.isArray(wanted[row]) ? (wanted[row] as string[]) : [])
        if (known[`${id} ${base}`] !== undefined) add(old, seed(collection, id, base, false));
    const rows = changeRows(message);
    if (rows.length === 0) caughtUp.add(collection);
    const list: SeedRevision[] = [];
    for (const [, id, rev, flags] of rows) add(list, seed(collection, id, rev, isDeletion(messages, id, rev, flags)));
    if (caughtUp.has(collection)) live.set(index, list);
    else backlog.push(...list);
  }
  // A revision that is offered is not also an older one.
  const offered = new Set([...backlog].map(({ collection, id, rev }) => `${collection} ${id} ${rev}`));
  const before = old.filter(({ collection, id, rev }) => !offered.has(`${collection} ${id} ${rev}`));
  return { ...opening(messages), old: before, backlog, live, blobs: attachments(messages) };
}

const NOTHING = { body: new Uint8Array(0) };

/** The reply to a request. */
export function replyTo(messages: readonly RecordedMessage[], request: RecordedMessage): RecordedMessage | undefined {
  return messages.find(
    ({ from, type, number }) => from !== request.from && type !== MessageType.request && number === request.number,
  );
}

function isDeletion(messages: readonly RecordedMessage[], id: string, rev: string, flags: ChangeRow[3]): boolean {
  if (Number(flags ?? 0) === 1) return true;
  return messages.some(
    ({ properties }) =>
      properties.get('id') === id && properties.get('rev') === rev && properties.get('deleted') === '1',
  );
}

function opening(messages: readonly RecordedMessage[]): Pick<ServerState, 'collections' | 'checkpoints'> {
  const [first] = messages;
  const reply = first && replyTo(messages, first);
  if (!first || !reply) return { collections: ['_default'], checkpoints: [] };
  if (profileOf(first) !== 'getCollections') {
    const isStored = profileOf(first) === 'getCheckpoint' && reply.type === MessageType.response;
    const client = first.properties.get('client')!;
    return {
      collections: ['_default'],
      checkpoints: isStored ? [{ collection: 0, client, body: textOf(reply) }] : [],
    };
  }
  const { collections, checkpoint_ids: ids } = jsonOf(first) as { collections: string[]; checkpoint_ids: string[] };
  const entries = jsonOf(reply) as (Record<string, unknown> | null)[];
  const checkpoints = entries.flatMap((entry, collection) => {
    if (!entry || Object.keys(entry).length === 0) return [];
    const { rev: _, ...body } = entry;
    return [{ collection, client: ids[collection]!, body: JSON.stringify(body) }];
  });
  return { collections: collections.filter((_, index) => entries[index] !== null), checkpoints };
}

function attachments(messages: readonly RecordedMessage[]): ReadonlyMap<string, Uint8Array> {
  const blobs = new Map<string, Uint8Array>();
  for (const message of messages)
    if (profileOf(message) === 'getAttachment')
      blobs.set(message.properties.get('digest')!, replyTo(messages, message)!.body);
  return blobs;
}
