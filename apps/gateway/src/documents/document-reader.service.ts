import { Inject, Injectable } from '@nestjs/common';
import type { Keyspace } from '@edgesync/document';
import { EdgeError } from '@edgesync/errors';
import { STORAGE } from '@edgesync/platform';
import type { DocumentRevision, Storage } from '@edgesync/ports';
import { currentVersionOf } from '@edgesync/revision';
import { asRevision } from '../parameters/revision.js';

/** Reads single documents. */
@Injectable()
export class DocumentReader {
  constructor(@Inject(STORAGE) private readonly storage: Storage) {}

  /**
   * The current revision.
   * @throws EdgeError `doc.missing`, `doc.deleted`
   */
  async readCurrent(keyspace: Keyspace, id: string): Promise<DocumentRevision> {
    const [document] = await this.storage.read(keyspace, [id]);
    if (!document) throw new EdgeError('doc.missing');
    if (document.deleted) throw new EdgeError('doc.deleted');
    return document;
  }

  /**
   * One revision, current or not, by rev-tree ID or version; tombstones included. Of a superseded revision only one of
   * the two IDs is known: its `vector` is '' if that is the rev-tree ID.
   * @throws EdgeError `doc.missing` if it is not stored (any more)
   */
  async readRevision(keyspace: Keyspace, id: string, asked: string): Promise<DocumentRevision> {
    const rev = asRevision(asked);
    const current = await this.find(keyspace, id);
    if (!current) throw new EdgeError('doc.missing');
    if (isCurrent(current, rev)) return current;
    const other = await this.storage.readRevision(keyspace, id, rev);
    if (!other) throw new EdgeError('doc.missing');
    return { ...other, vector: rev.includes('@') ? rev : '' };
  }

  /** The current revision or tombstone; undefined if there never was one, or it expired. */
  async find(keyspace: Keyspace, id: string): Promise<DocumentRevision | undefined> {
    const [document] = await this.storage.read(keyspace, [id]);
    return document;
  }
}

/** Whether `rev` is one of the two IDs of the document's current revision. */
export function isCurrent(document: DocumentRevision, rev: string): boolean {
  return document.rev === rev || currentVersionOf(document.vector) === rev;
}
