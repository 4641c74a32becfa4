import type { DocumentRevision, DocumentStore } from '@edgesync/ports';
import type { Keyspace } from '@edgesync/document';
import type { WantedRev } from './wanted-rev.js';

/** What there is to send for a wanted revision. */
export type RevContent =
  | { readonly kind: 'body'; readonly body: string }
  /** The document has gone on and the wanted body is not kept any more. */
  | { readonly kind: 'superseded'; readonly by: DocumentRevision }
  /** The document is gone. */
  | { readonly kind: 'gone' };

/** Reads the bodies of wanted revisions, in one batch where they are current. Parallel to `wanted`. @throws EdgeError `storage.*` */
export async function readRevBodies(
  storage: DocumentStore,
  keyspace: Keyspace,
  wanted: readonly WantedRev[],
): Promise<readonly RevContent[]> {
  const lacking = wanted.filter(({ body }) => body === '');
  if (lacking.length === 0) return wanted.map(({ body }) => ({ kind: 'body', body }));
  const current = await storage.read(
    keyspace,
    lacking.map(({ id }) => id),
  );
  const read = await Promise.all(lacking.map((rev, index) => contentOf(storage, keyspace, rev, current[index])));
  let next = 0;
  return wanted.map(({ body }) => (body === '' ? read[next++]! : { kind: 'body', body }));
}

function contentOf(
  storage: DocumentStore,
  keyspace: Keyspace,
  wanted: WantedRev,
  current: DocumentRevision | undefined,
): RevContent | Promise<RevContent> {
  if (!current) return { kind: 'gone' };
  if (current.rev === wanted.rev) return { kind: 'body', body: current.body };
  return storage
    .readRevision(keyspace, wanted.id, wanted.rev)
    .then((kept) => (kept ? { kind: 'body', body: kept.body } : { kind: 'superseded', by: current }));
}
