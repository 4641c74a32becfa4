import { compareVersionsByTime, generationOf, isVersion } from '@edgesync/revision';

/** Enough for the lists of changes that a peer answers at the same time. */
const LIMIT = 200;

/**
 * The revisions sent last, one of each document. A peer that is offered two revisions of a document shortly after each
 * other lists what it holds then for both. The first replaces that, body and all: a delta of the second against it would
 * find no base.
 */
export class RecentlySent {
  private readonly newest = new Map<string, string>();

  note(id: string, rev: string): void {
    this.newest.delete(id);
    if (this.newest.size >= LIMIT) this.newest.delete(this.newest.keys().next().value as string);
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
