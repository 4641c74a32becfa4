import type { BlipErrorInfo, IncomingRequest } from '@edgesync/blip';
import { findBlobs, type BlobReference } from '@edgesync/document';
import { EdgeError } from '@edgesync/errors';
import {
  buildGetAttachment,
  buildProveAttachment,
  decodeText,
  encodeText,
  isCompressible,
  isTransient,
  parseGetAttachment,
  parseProveAttachment,
  proofPrefix,
  statusOf,
} from '@edgesync/sync-protocol';
import type { CollectionLink, PeerLink } from './peer-link.js';

/** Length of the nonces we send, as Sync Gateway does (docs/protocol/replication.md#proveattachment). */
const NONCE_BYTES = 20;

/**
 * Gets the blobs of an arriving revision from its sender. A blob that is stored already is not taken for granted: the
 * sender must prove that it has it too, or name a document of which it is part, else knowing a digest would be enough
 * to read the content.
 */
export class BlobReceiver {
  /** Transfers under way by digest: a blob of several documents is fetched once. */
  private readonly transfers = new Map<string, Promise<void>>();
  private running = 0;
  private readonly waiting: (() => void)[] = [];

  constructor(private readonly link: PeerLink) {}

  /**
   * Resolves when all blobs are stored.
   * @throws EdgeError `blob.missing` if the sender has none, `blob.invalid`, `blob.too-large`, `storage.*`
   */
  async fetch(collection: CollectionLink, docId: string, references: readonly BlobReference[]): Promise<void> {
    const { storage } = this.link.context;
    const byDigest = new Map(references.map((reference) => [reference.digest, reference]));
    const digests = [...byDigest.keys()];
    const missing = new Set(await storage.missingBlobs(this.link.database, digests));
    const known = digests.filter((digest) => !missing.has(digest));
    const trusted = known.length === 0 ? new Set<string>() : await this.digestsOf(collection, docId);
    const transfers = digests
      .filter((digest) => !trusted.has(digest))
      .map((digest) => this.transferOnce(collection, docId, byDigest.get(digest)!, missing.has(digest)));
    // All are awaited, so that none goes on behind a revision that was refused.
    const outcomes = await Promise.allSettled(transfers);
    const failed = outcomes.find((outcome) => outcome.status === 'rejected');
    if (failed) throw failed.reason;
  }

  /** Digests that the stored revision of a document refers to. */
  private async digestsOf({ keyspace }: CollectionLink, docId: string): Promise<ReadonlySet<string>> {
    const [stored] = await this.link.context.storage.read(keyspace, [docId]);
    return new Set(stored ? findBlobs(stored.body).map(({ digest }) => digest) : []);
  }

  private transferOnce(
    collection: CollectionLink,
    docId: string,
    reference: BlobReference,
    isMissing: boolean,
  ): Promise<void> {
    const running = this.transfers.get(reference.digest);
    if (running) return running;
    const transfer = this.inTurn(async () => {
      if (isMissing || !(await this.proves(collection, reference))) await this.download(collection, docId, reference);
    }).finally(() => this.transfers.delete(reference.digest));
    this.transfers.set(reference.digest, transfer);
    return transfer;
  }

  private async download(collection: CollectionLink, docId: string, reference: BlobReference): Promise<void> {
    const { digest, length, contentType } = reference;
    const reply = await this.link.connection.requestStream(
      buildGetAttachment({ digest, docId, compress: isCompressible(contentType) }, collection.tag),
    );
    if (reply.error) throw asFault(digest, reply.error);
    const expected = { digest, ...(length !== undefined && { length }) };
    await this.link.context.storage.putBlob(this.link.database, reply.body, { expected });
  }

  /** Whether the peer proves that it has a stored blob. If it cannot, the blob is fetched like any other. */
  private async proves({ tag }: CollectionLink, { digest }: BlobReference): Promise<boolean> {
    const { context, database, connection } = this.link;
    const nonce = context.randomBytes(NONCE_BYTES);
    const content = await context.storage.openBlob(database, digest);
    if (!content) return false;
    const reply = await connection.request(buildProveAttachment({ digest, nonce }, tag));
    if (reply.error) {
      if (isTransient(reply.error)) throw asFault(digest, reply.error);
      return false;
    }
    const sha1 = context.createSha1();
    sha1.update(proofPrefix(nonce));
    for await (const piece of content.read()) sha1.update(piece);
    return decodeText(reply.body) === `sha1-${sha1.digestBase64()}`;
  }

  private async inTurn(work: () => Promise<void>): Promise<void> {
    if (this.running >= this.link.context.tuning.concurrentBlobs)
      await new Promise<void>((resolve) => this.waiting.push(resolve));
    else this.running++;
    try {
      await work();
    } finally {
      const next = this.waiting.shift();
      if (next) next();
      else this.running--;
    }
  }
}

/** The meaning of an error reply to `getAttachment` for the revision. */
function asFault(digest: string, error: BlipErrorInfo): EdgeError {
  const cause = new Error(`${error.domain}/${error.code} ${error.message}`);
  if (isTransient(error)) return new EdgeError('server.overloaded', 'the blob is not available now', { cause });
  const status = statusOf(error);
  const reason = `the sender refuses the blob ${digest} with ${status}`;
  return new EdgeError(status === 413 ? 'blob.too-large' : 'blob.missing', reason, { cause });
}

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
      const content = allowed ? await link.context.storage.openBlob(link.database, digest) : undefined;
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
    const { context, database } = this.collection.link;
    const content = this.offered.has(digest) ? await context.storage.openBlob(database, digest) : undefined;
    if (!content) throw new EdgeError('blob.missing');
    const sha1 = context.createSha1();
    sha1.update(proofPrefix(nonce));
    for await (const piece of content.read()) sha1.update(piece);
    request.respond({ body: encodeText(`sha1-${sha1.digestBase64()}`) });
  }

  private async mayRead(digest: string, docId: string | undefined): Promise<boolean> {
    if (this.offered.has(digest)) return true;
    if (docId === undefined) return false;
    const [stored] = await this.collection.link.context.storage.read(this.collection.keyspace, [docId]);
    return stored !== undefined && findBlobs(stored.body).some((blob) => blob.digest === digest);
  }
}
