import type Database from 'better-sqlite3';
import type { BlobInfo } from '@edgesync/ports';
import type { BlobFiles } from './blob-files.js';

interface BlobRow {
  readonly length: number;
  readonly orphaned_at: number | null;
}

/**
 * Which blobs are stored, and which stored bodies refer to them. A blob that nothing refers to has `orphaned_at`, from
 * which its grace period runs. Writing methods run in a transaction.
 */
export class BlobTable {
  private readonly select: Database.Statement<[string]>;
  private readonly upsert: Database.Statement<[string, number, number]>;
  private readonly adopt: Database.Statement<[string]>;
  private readonly orphan: Database.Statement<[number, string, string]>;
  private readonly deleteRow: Database.Statement<[string]>;
  private readonly selectOrphans: Database.Statement<[number, number]>;
  private readonly insertReference: Database.Statement<[number, string, string]>;
  private readonly sumLengths: Database.Statement<[]>;
  private readonly selectReferences: Database.Statement<[number, string]>;
  private readonly deleteReferences: Database.Statement<[number, string]>;
  private readonly renameReferences: Database.Statement<[string, number, string]>;

  constructor(handle: Database.Database) {
    this.select = handle.prepare('SELECT length, orphaned_at FROM blobs WHERE digest = ?');
    this.upsert = handle.prepare(
      `INSERT INTO blobs (digest, length, orphaned_at) VALUES (?, ?, ?)
       ON CONFLICT DO UPDATE SET orphaned_at = excluded.orphaned_at WHERE orphaned_at IS NOT NULL`,
    );
    this.adopt = handle.prepare('UPDATE blobs SET orphaned_at = NULL WHERE digest = ? AND orphaned_at IS NOT NULL');
    this.orphan = handle.prepare(
      `UPDATE blobs SET orphaned_at = ? WHERE digest = ? AND NOT EXISTS (SELECT 1 FROM blob_references WHERE digest = ?)`,
    );
    this.deleteRow = handle.prepare('DELETE FROM blobs WHERE digest = ?');
    this.selectOrphans = handle.prepare('SELECT digest FROM blobs WHERE orphaned_at <= ? LIMIT ?');
    this.sumLengths = handle.prepare('SELECT total(length) AS bytes FROM blobs');
    this.insertReference = handle.prepare(
      'INSERT INTO blob_references (document, rev, digest) VALUES (?, ?, ?) ON CONFLICT DO NOTHING',
    );
    this.selectReferences = handle.prepare('SELECT digest FROM blob_references WHERE document = ? AND rev = ?');
    this.renameReferences = handle.prepare(
      'UPDATE OR REPLACE blob_references SET rev = ? WHERE document = ? AND rev = ?',
    );
    this.deleteReferences = handle.prepare('DELETE FROM blob_references WHERE document = ? AND rev = ?');
  }

  find(digest: string): (BlobInfo & { readonly orphaned: boolean }) | undefined {
    const row = this.select.get(digest) as BlobRow | undefined;
    return row && { digest, length: row.length, orphaned: row.orphaned_at !== null };
  }

  /** Those that are not stored; of the others, those that nothing refers to get a new grace period. */
  touch(digests: readonly string[], nowSeconds: number): string[] {
    return digests.filter((digest) => {
      const info = this.find(digest);
      if (info?.orphaned) this.register(info, nowSeconds);
      return info === undefined;
    });
  }

  /** Notes a stored blob; starts its grace period again if nothing refers to it. */
  register({ digest, length }: BlobInfo, nowSeconds: number): void {
    this.upsert.run(digest, length, nowSeconds);
  }

  /** Notes that the body of a revision refers to blobs. */
  refer(document: number, rev: string, digests: Iterable<string>): void {
    for (const digest of digests) {
      this.insertReference.run(document, rev, digest);
      this.adopt.run(digest);
    }
  }

  /** The same body goes by another ID from now on. */
  rename(document: number, rev: string, newRev: string): void {
    this.renameReferences.run(newRev, document, rev);
  }

  /** The body of a revision is gone. */
  release(document: number, rev: string, nowSeconds: number): void {
    const rows = this.selectReferences.all(document, rev) as { digest: string }[];
    if (rows.length === 0) return;
    this.deleteReferences.run(document, rev);
    for (const { digest } of rows) this.orphan.run(nowSeconds, digest, digest);
  }

  /** Bytes of all stored blobs. */
  totalBytes(): number {
    return (this.sumLengths.get() as { bytes: number }).bytes;
  }

  orphansBefore(seconds: number, limit: number): string[] {
    return (this.selectOrphans.all(seconds, limit) as { digest: string }[]).map(({ digest }) => digest);
  }

  /** Removes files that a crash left between the file system and the table. */
  removeUnknown(files: BlobFiles): void {
    for (const digest of files.digests()) if (!this.find(digest)) files.remove(digest);
  }

  forget(digest: string): void {
    this.deleteRow.run(digest);
  }
}
