import { createHash } from 'node:crypto';
import { createReadStream, statSync } from 'node:fs';
import type Database from 'better-sqlite3';
import { BundleError, type CollectionTables } from '@edgesync/cblite';
import { EdgeError, isEdgeError } from '@edgesync/errors';
import type { BlobInfo } from '@edgesync/ports';
import type { BlobFiles } from '../blobs/blob-files.js';
import { BlobTable } from '../blobs/blob-table.js';
import { FLAG_BLOBS, FLAG_BRANCHES, FLAG_DELETED } from '../rows.js';
import type { BundleRow, CouchbaseLiteBundle } from './couchbase-lite-bundle.js';
import { note, type ProgressTable, type Tally } from './import-progress.js';
import type { ImportedDocument } from './imported-document.js';

/** One table of documents of one collection, and the number of its collection in our file. */
export interface Part {
  readonly name: string;
  readonly table: string;
  readonly collection: number;
}

export interface ReadRow {
  readonly row: BundleRow;
  readonly document: ImportedDocument;
}

/** Stores what was read. */
export class ImportWriter {
  private readonly insert: Database.Statement;
  private readonly insertLeaf: Database.Statement;
  private readonly insertCheckpoint: Database.Statement;
  private readonly blobTable: BlobTable;
  private readonly collections = new Map<number, CollectionTables>();

  constructor(
    private readonly handle: Database.Database,
    private readonly files: BlobFiles,
    private readonly bundle: CouchbaseLiteBundle,
    private readonly progress: ProgressTable,
    readonly tally: Tally,
    private readonly dryRun: boolean,
    private readonly now: () => number,
  ) {
    this.blobTable = new BlobTable(handle);
    // A document that is in both tables of its collection counts as the live one, which comes first.
    this.insert = handle.prepare(
      `INSERT INTO documents (collection, id, sequence, flags, expires_at, rev, vector, tree, body)
       VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?) ON CONFLICT (collection, id) DO NOTHING`,
    );
    this.insertLeaf = handle.prepare(
      `INSERT INTO revisions (document, rev, version, deleted, leaf, stored_at, body) VALUES (?, ?, '', ?, 1, ?, ?)`,
    );
    this.insertCheckpoint = handle.prepare(
      `INSERT INTO checkpoints (collection, client, saves, body) VALUES (?, ?, 1, ?) ON CONFLICT DO NOTHING`,
    );
  }

  /** Creates a collection and returns the tables to read for it. */
  open(tables: CollectionTables): Part[] {
    const { scope, collection: name, live, deleted } = tables;
    const lastSequence = this.bundle.lastSequence(tables);
    this.handle
      .prepare('INSERT INTO collections (scope, name, last_sequence, live) VALUES (?, ?, ?, 0) ON CONFLICT DO NOTHING')
      .run(scope, name, lastSequence);
    const collection = this.handle
      .prepare('SELECT id FROM collections WHERE scope = ? AND name = ?')
      .pluck()
      .get(scope, name) as number;
    this.collections.set(collection, tables);
    return [live, deleted].flatMap((table) =>
      table === undefined ? [] : [{ name: `${scope}.${name}`, table, collection }],
    );
  }

  /** Copies and verifies the blobs that documents refer to and that are not here yet. */
  async copyBlobs(part: Part, documents: readonly ReadRow[], signal: AbortSignal): Promise<void> {
    for (const { row, document } of documents)
      for (const digest of [document, ...document.leaves].flatMap(({ blobs }) => blobs)) {
        if (this.blobTable.find(digest) || this.progress.isLost(digest)) continue;
        signal.throwIfAborted();
        const reason = await this.copyBlob(digest);
        if (reason === undefined) continue;
        this.progress.noteLost(digest);
        this.tally.lostBlobCount++;
        note(this.tally.lostBlobs, { collection: part.name, id: row.key, reason: `${digest}: ${reason}` });
      }
  }

  /** @returns why the blob did not come along */
  private async copyBlob(digest: string): Promise<string | undefined> {
    const path = this.bundle.blobPath(digest);
    const found = statSync(path, { throwIfNoEntry: false });
    if (!found?.isFile()) return 'the bundle lacks its file';
    const register = async (stored: BlobInfo): Promise<void> =>
      this.blobTable.register(stored, Math.floor(this.now() / 1000));
    try {
      const info = this.dryRun
        ? await verifyBlob(path, digest)
        : await this.files.store(createReadStream(path), { expected: { digest }, limit: Infinity }, register);
      if (this.dryRun) await register(info);
      this.tally.blobs++;
      this.tally.blobBytes += info.length;
      return undefined;
    } catch (error) {
      if (isEdgeError(error, 'blob.invalid')) return error.message;
      throw error;
    }
  }

  commit(part: Part, documents: readonly ReadRow[], saveProgress: () => void): void {
    this.handle.transaction(() => {
      for (const { row, document } of documents) this.store(part, row, document);
      saveProgress();
    })();
  }

  private store(part: Part, row: BundleRow, document: ImportedDocument): void {
    const { rev, vector, tree, deleted, body, blobs, leaves } = document;
    const flags =
      (deleted ? FLAG_DELETED : 0) |
      (blobs.length > 0 || leaves.some((leaf) => leaf.blobs.length > 0) ? FLAG_BLOBS : 0) |
      (tree.includes(';') ? FLAG_BRANCHES : 0);
    const expiresAt = row.expiration === null || row.expiration <= 0 ? null : Math.floor(row.expiration / 1000);
    let stored: Database.RunResult;
    try {
      stored = this.insert.run(part.collection, row.key, row.sequence, flags, expiresAt, rev, vector, tree, body);
    } catch (cause) {
      if ((cause as { code?: string }).code !== 'SQLITE_CONSTRAINT_UNIQUE') throw cause;
      throw new BundleError('damaged', `the sequence ${row.sequence} of ${part.name} belongs to two documents`, {
        cause,
      });
    }
    if (stored.changes === 0) return;
    const number = Number(stored.lastInsertRowid);
    if (deleted) this.tally.tombstones++;
    else this.tally.documents++;
    if (document.lostConflicts > 0) {
      this.tally.lostConflicts += document.lostConflicts;
      const reason = `${document.lostConflicts} conflicting ${document.lostConflicts === 1 ? 'revision' : 'revisions'}`;
      note(this.tally.lostConflictsOf, { collection: part.name, id: row.key, reason });
    }
    this.refer(number, rev, blobs);
    for (const leaf of leaves) {
      this.insertLeaf.run(number, leaf.rev, leaf.deleted ? 1 : 0, Math.floor(this.now() / 1000), leaf.body);
      this.refer(number, leaf.rev, leaf.blobs);
      this.tally.conflicts++;
    }
  }

  /** Only blobs that are here can be referred to. */
  private refer(document: number, rev: string, blobs: readonly string[]): void {
    this.blobTable.refer(
      document,
      rev,
      blobs.filter((digest) => this.blobTable.find(digest)),
    );
  }

  /**
   * Keeps the checkpoints of apps, which the kept sequences make true. The ID of one does not name its collection, so
   * each is kept for every collection.
   */
  saveCheckpoints(): number {
    const checkpoints = this.bundle.peerCheckpoints();
    this.handle.transaction(() => {
      for (const { client, body } of checkpoints)
        for (const collection of this.collections.keys()) this.insertCheckpoint.run(collection, client, body);
    })();
    return checkpoints.length;
  }

  countLive(): void {
    this.handle.exec(
      `UPDATE collections SET
         live = (SELECT count(*) FROM documents WHERE collection = collections.id AND flags & ${FLAG_DELETED} = 0),
         last_sequence = max(last_sequence, (SELECT coalesce(max(sequence), 0) FROM documents WHERE collection = collections.id))`,
    );
  }
}

/** @throws EdgeError `blob.invalid` */
async function verifyBlob(path: string, digest: string): Promise<BlobInfo> {
  const hash = createHash('sha1');
  let length = 0;
  for await (const chunk of createReadStream(path) as AsyncIterable<Uint8Array>) {
    hash.update(chunk);
    length += chunk.length;
  }
  const actual = `sha1-${hash.digest('base64')}`;
  if (actual !== digest) throw new EdgeError('blob.invalid', `the blob’s digest is ${actual} instead of ${digest}`);
  return { digest, length };
}
