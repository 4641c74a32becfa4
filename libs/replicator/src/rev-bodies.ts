import type { DocumentRevision, DocumentStore } from '@edgesync/ports';
import type { Keyspace } from '@edgesync/document';
import type { WantedRev } from './wanted-rev.js';

/** The content to send for a wanted revision. */
export type RevContent =
  | { readonly kind: 'body'; readonly body: string | Uint8Array }
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
  const lacking = wanted.filter(({ body }) => body === undefined);
  const ids = lacking.map(({ id }) => id);
  const current = ids.length > 0 ? await storage.read(keyspace, ids) : [];
  const lookups: Promise<void>[] = [];
  const found = lacking.map((rev, index): RevContent => contentOf(rev, current[index]));
  for (const [index, content] of found.entries())
    if (content.kind === 'superseded') {
      const { id, rev } = lacking[index]!;
      const lookup = storage.readRevision(keyspace, id, rev).then((kept) => {
        if (kept) found[index] = { kind: 'body', body: kept.body };
      });
      lookups.push(lookup);
    }
  await Promise.all(lookups);
  let next = 0;
  return wanted.map(({ body }) => (body === undefined ? found[next++]! : { kind: 'body', body }));
}

function contentOf(wanted: WantedRev, current: DocumentRevision | undefined): RevContent {
  if (!current) return { kind: 'gone' };
  return current.rev === wanted.rev ? { kind: 'body', body: current.body } : { kind: 'superseded', by: current };
}
