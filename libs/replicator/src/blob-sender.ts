import { EdgeError } from '@edgesync/errors';
import { findBlobs } from '@edgesync/document';
import type { IncomingRequest } from '@edgesync/blip';
import { encodeText, parseGetAttachment, parseProveAttachment, proofPrefix } from '@edgesync/sync-protocol';
import type { CollectionLink } from './peer-link.js';

/**
 * Answers `getAttachment` and `proveAttachment` of a peer that is sent revisions. It gets the blobs of revisions that
 * are on the way to it, and of the documents it may read.
 */
export class BlobSender {
  /** How many unanswered revisions refer to a digest. */
  private readonly offered = new Map<string, number>();

  constructor(private readonly collection: CollectionLink) {}

  /** A revision with these blobs goes out; call the returned function when it was answered. */
  offer(digests: readonly string[]): () => void {
    for (const digest of digests) this.offered.set(digest, (this.offered.get(digest) ?? 0) + 1);
    return () => {
      for (const digest of digests) {
        const count = this.offered.get(digest)! - 1;
        if (count > 0) this.offered.set(digest, count);
        else this.offered.delete(digest);
      }
    };
  }

  /**
   * Streams a blob. Trouble with storage is answered with the end of the connection, never with an error reply: the
   * client would give the document up (docs/protocol/replication.md#getattachment).
   * @throws EdgeError `request.invalid`
   */
  async get(request: IncomingRequest): Promise<void> {
    const { digest, docId, compress } = parseGetAttachment(request);
    const { link } = this.collection;
    try {
      const allowed = await this.mayRead(digest, docId);
      const content = allowed ? await link.environment.storage.openBlob(link.database, digest) : undefined;
      if (content) request.respond({ body: content.read(), compressed: compress });
      else
        request.respondError({ domain: 'HTTP', code: allowed ? 404 : 403, message: allowed ? 'missing' : 'forbidden' });
    } catch (error) {
      link.fail(error);
    }
  }

  /** @throws EdgeError `request.invalid`, `blob.missing` */
  async prove(request: IncomingRequest): Promise<void> {
    const { digest, nonce } = parseProveAttachment(request);
    const { environment, database } = this.collection.link;
    const content = this.offered.has(digest) ? await environment.storage.openBlob(database, digest) : undefined;
    if (!content) throw new EdgeError('blob.missing');
    const sha1 = environment.createSha1();
    sha1.update(proofPrefix(nonce));
    for await (const piece of content.read()) sha1.update(piece);
    request.respond({ body: encodeText(`sha1-${sha1.digestBase64()}`) });
  }

  private async mayRead(digest: string, docId: string | undefined): Promise<boolean> {
    if (this.offered.has(digest)) return true;
    if (docId === undefined) return false;
    const [stored] = await this.collection.link.environment.storage.read(this.collection.keyspace, [docId]);
    return stored !== undefined && findBlobs(stored.body).some((blob) => blob.digest === digest);
  }
}
