import { Inject, Injectable } from '@nestjs/common';
import { getMember, readPeerBody, removeMember, setMember, type Keyspace } from '@edgesync/document';
import { EdgeError } from '@edgesync/errors';
import type { DocumentRevision } from '@edgesync/ports';
import { DocumentReader, isCurrent } from '../documents/document-reader.service.js';
import { DocumentWriter } from '../documents/document-writer.service.js';
import type { StoredResult } from '../documents/write-result.js';
import { ANY_REVISION, type ExpectedRevision } from '../parameters/revision.js';

/** The document that a change of one property starts from. */
export interface EditedDocument {
  readonly keyspace: Keyspace;
  readonly id: string;
  /** Undefined: the document is created. */
  readonly expect: string | undefined;
  readonly body: string;
}

/** Changes single properties (docs/protocol/rest.md#properties). */
@Injectable()
export class PropertyEditor {
  constructor(
    @Inject(DocumentReader) private readonly reader: DocumentReader,
    @Inject(DocumentWriter) private readonly writer: DocumentWriter,
  ) {}

  /**
   * Finds the document to set a property of, before anything is uploaded for it.
   * @throws EdgeError `doc.conflict` unless its current revision is named, `doc.missing`, `doc.deleted`
   */
  async openForSet(keyspace: Keyspace, id: string, expect: ExpectedRevision): Promise<EditedDocument> {
    const document = await this.reader.find(keyspace, id);
    if (expect === undefined && (!document || document.deleted)) return { keyspace, id, expect: undefined, body: '{}' };
    return this.toEdited(keyspace, id, document, expect);
  }

  /**
   * Finds the document to remove a property from.
   * @throws EdgeError `doc.missing`, `doc.deleted`, `doc.property-missing`, `doc.conflict`
   */
  async openForRemoval(keyspace: Keyspace, id: string, key: string, expect: ExpectedRevision): Promise<EditedDocument> {
    const document = await this.reader.readCurrent(keyspace, id);
    if (getMember(document.body, key) === undefined) throw new EdgeError('doc.property-missing');
    return this.toEdited(keyspace, id, document, expect);
  }

  /**
   * @param valueText the value in normal form
   * @throws EdgeError `doc.too-large`, `doc.invalid` (nested too deep) and those of a write
   */
  set(document: EditedDocument, key: string, valueText: string): Promise<StoredResult> {
    // The rest of the body may have come from a peer, and is no reason to refuse the value.
    return this.write(document, readPeerBody(setMember(document.body, key, valueText)).json);
  }

  /** @throws EdgeError those of a write */
  remove(document: EditedDocument, key: string): Promise<StoredResult> {
    return this.write(document, removeMember(document.body, key));
  }

  private write({ keyspace, id, expect }: EditedDocument, body: string): Promise<StoredResult> {
    return this.writer.write({ keyspace, id, expect, deleted: false, body, expiresAt: undefined });
  }

  private toEdited(
    keyspace: Keyspace,
    id: string,
    document: DocumentRevision | undefined,
    expect: ExpectedRevision,
  ): EditedDocument {
    if (!document) throw new EdgeError('doc.missing');
    if (document.deleted) throw new EdgeError('doc.deleted');
    if (expect !== ANY_REVISION && (expect === undefined || !isCurrent(document, expect)))
      throw new EdgeError('doc.conflict');
    return { keyspace, id, expect: document.rev, body: document.body };
  }
}
