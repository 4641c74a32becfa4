import { hash } from 'node:crypto';
import type Database from 'better-sqlite3';
import { EdgeError, isEdgeError } from '@edgesync/errors';
import { canonicalJson, checkDocId, findBlobs } from '@edgesync/document';
import type { EditRequest, RevisionRequest, WriteRequest, WriteResult } from '@edgesync/ports';
import {
  currentVersionOf,
  integrate,
  localEdit,
  mintRevId,
  parseIncoming,
  RevTree,
  type DocumentState,
  type Integration,
  type Minting,
  type Stored,
} from '@edgesync/revision';
import type { BlobTable } from './blobs/blob-table.js';
import type { Collection } from './collections.js';
import type { DocumentCache } from './document-cache.js';
import { COLUMNS, FLAG_BLOBS, FLAG_BRANCHES, FLAG_DELETED, isExpired, type DocumentRow } from './rows.js';
import { KeptRevisions } from './kept-revisions.js';
import { SUPERSEDED_MINIMUM_BYTES, TREE_DEPTH } from './tuning.js';

/** Indexes that follow the changes of documents, in their transaction. */
export interface DocumentIndexes {
  covers(collectionId: number): boolean;
  /** A revision is undefined if there is no document before, or afterwards. */
  documentChanged(
    collectionId: number,
    row: number,
    before: StoredRevision | undefined,
    after: StoredRevision | undefined,
  ): void;
}

export interface StoredRevision {
  readonly id: string;
  readonly deleted: boolean;
  readonly body: string;
}

export interface WritePathOptions {
  readonly cache: DocumentCache;
  readonly nowSeconds: () => number;
  /** A version of our own, newer than any before. */
  readonly mintVersion: () => string;
  readonly keepSuperseded: boolean;
  /** Are brought up to date with every change. Absent: there are none. */
  readonly indexes?: DocumentIndexes;
  /** A live document of a collection, which may not be a shared one, is gone without a trace. */
  readonly countPurged: (collectionId: number) => void;
}

/**
 * The one place that changes documents. Everything here is synchronous and runs in a transaction of the write queue:
 * sequence, body, history, change log and blob references of a revision are stored together or not at all.
 */
export class WritePath {
  private readonly select: Database.Statement<[number, string]>;
  private readonly insert: Database.Statement;
  private readonly update: Database.Statement;
  private readonly remove: Database.Statement<[number]>;
  private readonly selectExpired: Database.Statement<[number, number]>;
  private readonly selectRev: Database.Statement<[number]>;
  private readonly selectIndexed: Database.Statement<[number]>;
  private readonly kept: KeptRevisions;

  constructor(
    handle: Database.Database,
    private readonly blobs: BlobTable,
    private readonly options: WritePathOptions,
  ) {
    this.select = handle.prepare(`SELECT ${COLUMNS} FROM documents WHERE collection = ? AND id = ?`);
    this.insert = handle.prepare(
      `INSERT INTO documents (collection, id, sequence, flags, expires_at, rev, vector, tree, body)
       VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)`,
    );
    this.update = handle.prepare(
      `UPDATE documents SET sequence = ?, flags = ?, expires_at = ?, rev = ?, vector = ?, tree = ?, body = ? WHERE row = ?`,
    );
    this.remove = handle.prepare('DELETE FROM documents WHERE row = ?');
    this.selectExpired = handle.prepare(
      'SELECT row, id, flags, collection FROM documents WHERE expires_at <= ? LIMIT ?',
    );
    this.selectRev = handle.prepare('SELECT rev FROM documents WHERE row = ?');
    this.selectIndexed = handle.prepare('SELECT id, flags, body FROM documents WHERE row = ?');
    this.kept = new KeptRevisions(handle, blobs);
  }

  /** Applies one request. Faults of the request are results; whatever is thrown must roll the transaction back. */
  apply(collection: Collection, request: WriteRequest): WriteResult {
    const { id } = request;
    try {
      checkDocId(id);
      this.options.cache.forget(collection.id, id);
      const row = this.find(collection, id);
      switch (request.type) {
        case 'edit':
          return this.edit(collection, row, request);
        case 'revision':
          return this.receive(collection, row, request);
        case 'purge':
          if (!row) return { status: 'missing', id, deleted: false };
          this.purge(row.row, row.flags, collection.id);
          return { status: 'purged', id };
      }
    } catch (error) {
      // Only the checks throw these, and they come before the document is touched.
      if (isEdgeError(error) && error.status < 500)
        return { status: 'refused', id, code: error.code, reason: error.message };
      throw error;
    }
  }

  /**
   * Removes documents whose time is over. No tombstone, no sequence, no notification (docs/protocol/rest.md#expiry).
   * @returns how many
   */
  purgeExpired(nowSeconds: number, limit: number): number {
    type Expired = Pick<DocumentRow, 'row' | 'id' | 'flags'> & { readonly collection: number };
    const rows = this.selectExpired.all(nowSeconds, limit) as Expired[];
    for (const { row, id, flags, collection } of rows) {
      this.options.cache.forget(collection, id);
      this.purge(row, flags, collection);
    }
    return rows.length;
  }

  /** Drops superseded bodies stored before a time. @returns how many */
  dropSuperseded(beforeSeconds: number, limit: number): number {
    return this.kept.dropOlderThan(beforeSeconds, limit, this.options.nowSeconds());
  }

  /** The document, unless it has expired; then what is left of it is removed, for the new one to take its place. */
  private find(collection: Collection, id: string): DocumentRow | undefined {
    const row = this.select.get(collection.id, id) as DocumentRow | undefined;
    if (!row || !isExpired(row, this.options.nowSeconds())) return row;
    this.purge(row.row, row.flags, collection.id);
    return undefined;
  }

  private purge(row: number, flags: number, collectionId: number): void {
    const now = this.options.nowSeconds();
    const { rev } = this.selectRev.get(row) as { rev: string };
    this.kept.dropAll(row, now);
    this.blobs.release(row, rev, now);
    if (this.options.indexes?.covers(collectionId)) {
      const document = this.selectIndexed.get(row) as Pick<DocumentRow, 'id' | 'flags' | 'body'>;
      this.options.indexes.documentChanged(collectionId, row, revisionOf(document), undefined);
    }
    this.remove.run(row);
    if ((flags & FLAG_DELETED) === 0) this.options.countPurged(collectionId);
  }

  private edit(collection: Collection, row: DocumentRow | undefined, request: EditRequest): WriteResult {
    const { id, expect, deleted, body } = request;
    const isTombstone = row !== undefined && (row.flags & FLAG_DELETED) !== 0;
    if (expect === undefined) {
      if (row && !isTombstone) return conflict(row);
      if (deleted) return { status: 'missing', id, deleted: isTombstone };
    } else {
      if (!row) return { status: 'missing', id, deleted: false };
      if (expect !== row.rev && expect !== currentVersionOf(row.vector)) return conflict(row);
      if (deleted && isTombstone) return { status: 'missing', id, deleted: true };
    }
    const blobs = this.referredBlobs(body);
    const next = localEdit(row && stateOf(row), deleted, this.minting(row, body, deleted));
    return this.store(collection, row, next, request, blobs, request.expiresAt ?? row?.expires_at ?? null);
  }

  private receive(collection: Collection, row: DocumentRow | undefined, request: RevisionRequest): WriteResult {
    const { rev, history, deleted, closedBranch, body, onConflict } = request;
    const incoming = parseIncoming(rev, history, { deleted, ...(closedBranch !== undefined && { closedBranch }) });
    const next: Integration = integrate(row && stateOf(row), incoming, {
      ...this.minting(row, body, deleted),
      onConflict,
    });
    if (next.status === 'known') return known(row!, rev);
    if (next.status === 'conflict') return conflict(row!);
    const blobs = this.referredBlobs(body);
    return this.store(collection, row, next, request, blobs, row?.expires_at ?? null);
  }

  private minting(row: DocumentRow | undefined, body: string, deleted: boolean): Minting {
    return {
      mintVersion: this.options.mintVersion,
      mintTreeRev: (parent, content) =>
        content === 'incoming'
          ? mintRevId({ parent, deleted, canonicalBody: canonicalJson(body), sha1 })
          : mintRevId({
              parent,
              deleted: (row!.flags & FLAG_DELETED) !== 0,
              canonicalBody: canonicalJson(row!.body),
              sha1,
            }),
      depth: TREE_DEPTH,
    };
  }

  /** Digests a body refers to. @throws EdgeError `blob.unknown` if one is not stored */
  private referredBlobs(body: string): readonly string[] {
    const references = findBlobs(body);
    if (references.length === 0) return NONE;
    const digests = [...new Set(references.map(({ digest }) => digest))];
    const missing = digests.find((digest) => !this.blobs.find(digest));
    if (missing !== undefined)
      throw new EdgeError('blob.unknown', `the blob ${missing} is not stored in this database`);
    return digests;
  }

  private store(
    collection: Collection,
    row: DocumentRow | undefined,
    next: Stored,
    arrived: { readonly id: string; readonly body: string; readonly deleted: boolean },
    blobs: readonly string[],
    expiresAt: number | null,
  ): WriteResult {
    const { rev, vector, tree, deleted } = next;
    const sequence = ++collection.lastSequence;
    collection.live += (deleted ? 0 : 1) - (row && (row.flags & FLAG_DELETED) === 0 ? 1 : 0);
    const branches = tree.includes(';') ? FLAG_BRANCHES : 0;
    const flags =
      (deleted ? FLAG_DELETED : 0) | branches | (blobs.length > 0 || (row && row.flags & FLAG_BLOBS) ? FLAG_BLOBS : 0);
    const result: WriteResult = {
      status: 'stored',
      id: arrived.id,
      rev: next.filedAs,
      ...(next.content === 'incoming' && { vector }),
      sequence,
      ...(next.resolved && { resolved: next.resolved }),
    };
    if (!row) {
      const { lastInsertRowid } = this.insert.run(
        collection.id,
        arrived.id,
        sequence,
        flags,
        expiresAt,
        rev,
        vector,
        tree,
        arrived.body,
      );
      if (blobs.length > 0) this.blobs.refer(Number(lastInsertRowid), rev, blobs);
      this.options.indexes?.documentChanged(collection.id, Number(lastInsertRowid), undefined, {
        id: arrived.id,
        deleted,
        body: arrived.body,
      });
      return result;
    }
    const body = this.placeBodies(row, next, arrived, blobs);
    this.update.run(sequence, flags, expiresAt, rev, vector, tree, body, row.row);
    const { indexes } = this.options;
    indexes?.documentChanged(collection.id, row.row, revisionOf(row), { id: row.id, deleted, body });
    return result;
  }

  /** Files the bodies that are not current from now on. @returns the body that is */
  private placeBodies(
    row: DocumentRow,
    next: Stored,
    arrived: { readonly body: string; readonly deleted: boolean },
    blobs: readonly string[],
  ): string {
    const now = this.options.nowSeconds();
    const hadBranches = (row.flags & FLAG_BRANCHES) !== 0 || next.tree.includes(';');
    const leaves = hadBranches ? new Set(RevTree.decode(next.tree).leaves()) : undefined;
    if (next.rev !== row.rev && next.content !== 'current') this.fileCurrent(row, leaves?.has(row.rev) ?? false, now);
    let body = arrived.body;
    if (next.content === 'incoming') {
      if (blobs.length > 0) this.blobs.refer(row.row, next.rev, blobs);
    } else {
      if (next.filedAs !== row.rev && leaves?.has(next.filedAs)) {
        // Its version is that of the document: a branch has none of its own.
        this.kept.keepLeaf(row.row, { rev: next.filedAs, version: '', deleted: arrived.deleted, body }, now);
        if (blobs.length > 0) this.blobs.refer(row.row, next.filedAs, blobs);
      }
      body = next.content === 'current' ? row.body : this.surface(row, next.rev);
      if (next.content === 'current' && next.rev !== row.rev) this.blobs.rename(row.row, row.rev, next.rev);
    }
    if (leaves) this.kept.keepOnlyLeaves(row.row, leaves, now);
    return body;
  }

  /** The former current revision: superseded, or a leaf that lost. */
  private fileCurrent(row: DocumentRow, isLeaf: boolean, now: number): void {
    const revision = {
      rev: row.rev,
      version: currentVersionOf(row.vector),
      deleted: (row.flags & FLAG_DELETED) !== 0,
      body: row.body,
    };
    if (isLeaf) this.kept.keepLeaf(row.row, revision, now);
    else if (this.options.keepSuperseded && !revision.deleted && row.body.length >= SUPERSEDED_MINIMUM_BYTES)
      this.kept.keepSuperseded(row.row, revision, now);
    else if ((row.flags & FLAG_BLOBS) !== 0) this.blobs.release(row.row, row.rev, now);
  }

  /** A leaf becomes current because the branch above it was closed. Its references stay: they carry its ID. */
  private surface(row: DocumentRow, rev: string): string {
    const revision = this.kept.find(row.row, rev);
    if (!revision) return '{}';
    this.kept.take(row.row, rev);
    return revision.body;
  }
}

const NONE: readonly string[] = [];

const sha1 = (text: string): string => hash('sha1', text);

const stateOf = ({ rev, tree, vector, flags }: DocumentRow): DocumentState => ({
  rev,
  tree,
  vector,
  deleted: (flags & FLAG_DELETED) !== 0,
});

/** @param asked the ID that the request gave the revision */
function known({ id, rev, vector, sequence }: DocumentRow, asked: string): WriteResult {
  return asked === rev || asked === currentVersionOf(vector)
    ? { status: 'known', id, rev, vector, sequence }
    : { status: 'known', id, rev: asked, sequence };
}

const revisionOf = ({ id, flags, body }: Pick<DocumentRow, 'id' | 'flags' | 'body'>): StoredRevision => ({
  id,
  deleted: (flags & FLAG_DELETED) !== 0,
  body,
});

const conflict = ({ id, rev, vector, flags }: DocumentRow): WriteResult => ({
  status: 'conflict',
  id,
  rev,
  vector,
  deleted: (flags & FLAG_DELETED) !== 0,
});
