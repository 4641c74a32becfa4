import type { Keyspace } from '@edgesync/document';
import type { ChangeRow, DocumentRevision, DocumentStore } from '@edgesync/ports';
import { compareVersionsByTime, generationOf, isVersion } from '@edgesync/revision';
import QuickLRU from 'quick-lru';

/** A revision that the peer asked for. */
export interface WantedRev {
  readonly id: string;
  /**
   * JSON text of the sequence, the same as in the list that offered the revision (docs/protocol/replication.md#rev).
   */
  readonly sequence: string;
  /** Both IDs of the revision as they were when it was offered, and what they descend from. */
  readonly rev: string;
  readonly vector: string;
  readonly tree: string;
  readonly deleted: boolean;
  /** As text or in UTF-8; absent if it is still to be read. */
  readonly body?: string | Uint8Array;
  /** Size of the body in bytes, approximately. */
  readonly bodySize: number;
  /** Whether the body may refer to blobs. */
  readonly blobs: boolean;
  /** Revisions that the peer holds, newest first. */
  readonly listed: readonly string[];
  /** Those of them that a delta may be made against; absent: all. */
  readonly bases?: readonly string[];
}

/** @param listed see {@link WantedRev.listed} */
export function wantedRev(row: ChangeRow, listed: readonly string[]): WantedRev {
  const { id, rev, vector, tree, deleted, body, bodySize, blobs = true } = row;
  const sequence = String(row.sequence);
  return { id, sequence, rev, vector, tree, deleted, body, bodySize, blobs, listed };
}

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

/** Enough for the lists of changes that a peer answers at the same time. */
const LIMIT = 200;

/**
 * The revisions sent last, one of each document. A peer that is offered two revisions of a document shortly after each
 * other lists what it holds then for both. The first replaces that, body and all: a delta of the second against it would
 * find no base.
 */
export class RecentlySent {
  private readonly newest = new QuickLRU<string, string>({ maxSize: LIMIT });

  note(id: string, rev: string): void {
    this.newest.set(id, rev);
  }

  /** Those of the listed revisions of a document that the peer will still hold when it gets the next one. */
  stillHeld(id: string, listed: readonly string[]): readonly string[] {
    const sent = this.newest.get(id);
    return sent === undefined ? listed : listed.filter((rev) => !isOlder(rev, sent));
  }
}

function isOlder(rev: string, sent: string): boolean {
  if (!isVersion(rev)) return isVersion(sent) || generationOf(rev) < generationOf(sent);
  return isVersion(sent) && compareVersionsByTime(rev, sent) < 0;
}
