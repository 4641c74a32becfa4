import type Database from 'better-sqlite3';
import type { BlobTable } from './blobs/blob-table.js';
import { SUPERSEDED_PER_DOCUMENT } from './tuning.js';

/** A body that is not, or no longer, its document's current one. */
export interface KeptRevision {
  readonly rev: string;
  readonly version: string;
  readonly deleted: boolean;
  readonly body: string;
}

/**
 * Bodies beside the current ones: losing leaves, which stay, and superseded revisions, which stay for a while. All
 * methods run in a transaction. References to blobs belong to the kept body and go with it.
 */
export class KeptRevisions {
  private readonly insert: Database.Statement;
  private readonly selectSurplus: Database.Statement<[number, number]>;
  private readonly selectOld: Database.Statement<[number, number]>;
  private readonly selectOne: Database.Statement<[number, string]>;
  private readonly selectLeaves: Database.Statement<[number]>;
  private readonly selectAll: Database.Statement<[number]>;
  private readonly remove: Database.Statement<[number, string]>;

  constructor(
    handle: Database.Database,
    private readonly blobs: BlobTable,
  ) {
    this.insert = handle.prepare(
      `INSERT INTO revisions (document, rev, version, deleted, leaf, stored_at, body) VALUES (?, ?, ?, ?, ?, ?, ?)
       ON CONFLICT DO UPDATE SET leaf = excluded.leaf, stored_at = excluded.stored_at`,
    );
    this.selectSurplus = handle.prepare(
      'SELECT rev FROM revisions WHERE document = ? AND leaf = 0 ORDER BY row DESC LIMIT -1 OFFSET ?',
    );
    this.selectOld = handle.prepare('SELECT document, rev FROM revisions WHERE leaf = 0 AND stored_at <= ? LIMIT ?');
    this.selectOne = handle.prepare('SELECT rev, version, deleted, body FROM revisions WHERE document = ? AND rev = ?');
    this.selectLeaves = handle.prepare('SELECT rev FROM revisions WHERE document = ? AND leaf = 1');
    this.selectAll = handle.prepare('SELECT rev FROM revisions WHERE document = ?');
    this.remove = handle.prepare('DELETE FROM revisions WHERE document = ? AND rev = ?');
  }

  find(document: number, rev: string): KeptRevision | undefined {
    const row = this.selectOne.get(document, rev) as (Omit<KeptRevision, 'deleted'> & { deleted: number }) | undefined;
    return row && { ...row, deleted: row.deleted !== 0 };
  }

  /** Keeps a body that was just superseded, and of its predecessors only the newest. */
  keepSuperseded(document: number, revision: KeptRevision, nowSeconds: number): void {
    this.put(document, revision, false, nowSeconds);
    const surplus = this.selectSurplus.all(document, SUPERSEDED_PER_DOCUMENT) as { rev: string }[];
    for (const { rev } of surplus) this.drop(document, rev, nowSeconds);
  }

  /** Keeps the body of a leaf that lost against the current revision. */
  keepLeaf(document: number, revision: KeptRevision, nowSeconds: number): void {
    this.put(document, revision, true, nowSeconds);
  }

  /** Drops the bodies of former leaves. */
  keepOnlyLeaves(document: number, leaves: ReadonlySet<string>, nowSeconds: number): void {
    for (const { rev } of this.selectLeaves.all(document) as { rev: string }[])
      if (!leaves.has(rev)) this.drop(document, rev, nowSeconds);
  }

  dropOlderThan(seconds: number, limit: number, nowSeconds: number): number {
    const rows = this.selectOld.all(seconds, limit) as { document: number; rev: string }[];
    for (const { document, rev } of rows) this.drop(document, rev, nowSeconds);
    return rows.length;
  }

  dropAll(document: number, nowSeconds: number): void {
    for (const { rev } of this.selectAll.all(document) as { rev: string }[]) this.drop(document, rev, nowSeconds);
  }

  /** Forgets a body that becomes its document's current one; its references to blobs stay as they are. */
  take(document: number, rev: string): void {
    this.remove.run(document, rev);
  }

  drop(document: number, rev: string, nowSeconds: number): void {
    this.remove.run(document, rev);
    this.blobs.release(document, rev, nowSeconds);
  }

  private put(
    document: number,
    { rev, version, deleted, body }: KeptRevision,
    leaf: boolean,
    nowSeconds: number,
  ): void {
    this.insert.run(document, rev, version, deleted ? 1 : 0, leaf ? 1 : 0, nowSeconds, body);
  }
}
