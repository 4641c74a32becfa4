import { Inject, Injectable } from '@nestjs/common';
import type { Keyspace } from '@edgesync/document';
import { STORAGE } from '@edgesync/platform';
import type { EditRequest, Storage } from '@edgesync/ports';
import { ANY_REVISION, type ExpectedRevision } from '../parameters/revision.js';
import { DocumentReader } from './document-reader.service.js';
import { errorOf, type StoredResult } from './write-result.js';

export interface Edit {
  readonly keyspace: Keyspace;
  readonly id: string;
  /** The revision that the edit replaces; undefined creates. */
  readonly expect: ExpectedRevision;
  readonly deleted: boolean;
  /** Properties in normal form. */
  readonly body: string;
  /** Unix seconds. */
  readonly expiresAt: number | undefined;
}

/** Writes single documents. */
@Injectable()
export class DocumentWriter {
  constructor(
    @Inject(STORAGE) private readonly storage: Storage,
    @Inject(DocumentReader) private readonly reader: DocumentReader,
  ) {}

  /**
   * Resolves when the edit is durable.
   * @throws EdgeError `doc.conflict`, `doc.missing`, `doc.deleted`, and what storage refuses
   */
  async write({ keyspace, id, expect, deleted, body, expiresAt }: Edit): Promise<StoredResult> {
    const replaced = expect === ANY_REVISION ? (await this.reader.readCurrent(keyspace, id)).rev : expect;
    const request: EditRequest = { type: 'edit', keyspace, id, deleted, body };
    const [result] = await this.storage.write(keyspace.database, [
      replaced === undefined && expiresAt === undefined
        ? request
        : {
            ...request,
            ...(replaced !== undefined && { expect: replaced }),
            ...(expiresAt !== undefined && { expiresAt }),
          },
    ]);
    if (result!.status === 'stored' || result!.status === 'known') return result!;
    throw errorOf(result!);
  }
}
