import { Controller, Delete, Get, Inject, Post, Put, Req } from '@nestjs/common';
import { readBody } from '@edgesync/document';
import { EdgeError } from '@edgesync/errors';
import { currentVersionOf } from '@edgesync/revision';
import type { GatewayRequest } from '../http/gateway-request.js';
import { RequestAudit, type DocumentChange } from '../http/request-audit.js';
import { Reply } from '../http/reply.js';
import { readJsonText } from '../http/request-body.js';
import { ReadsKeyspace, WritesKeyspace } from '../keyspaces/keyspace.guards.js';
import { Endpoint } from '../openapi/endpoint.decorator.js';
import { ExpiryQuery, readDeadline } from '../parameters/expiry.js';
import { UrlParameters } from '../parameters/read-parameters.js';
import { readExpectedRevision, type ExpectedRevision } from '../parameters/revision.js';
import { readDocumentId } from './document-id.js';
import { ReadDocumentQuery, WriteDocumentQuery } from './document-queries.js';
import { DocumentReader } from './document-reader.service.js';
import { documentText } from './document-text.js';
import { DocumentWriter } from './document-writer.service.js';
import { newDocumentId } from './new-document-id.js';
import { writeReply } from './write-result.js';

/**
 * Whole documents (docs/protocol/rest.md#creating-documents, docs/protocol/rest.md#reading-documents,
 * docs/protocol/rest.md#writing-documents, docs/protocol/rest.md#deleting-documents).
 */
@Controller()
export class DocumentController {
  constructor(
    @Inject(DocumentReader) private readonly reader: DocumentReader,
    @Inject(DocumentWriter) private readonly writer: DocumentWriter,
    @Inject(RequestAudit) private readonly audit: RequestAudit,
  ) {}

  @Post(':keyspace')
  @WritesKeyspace()
  @Endpoint({
    tag: 'Documents',
    summary: 'Create a document',
    description:
      'The document gets the ID that its `_id` names, or a generated one. Other top-level properties that start with an ' +
      'underscore are metadata and not stored.',
    query: ExpiryQuery,
    body: ['Document'],
    replies: {
      201: { description: 'The document is stored.', content: ['WriteReply'], headers: ['Location'] },
    },
    errors: {
      400: 'The body is not a JSON object, has `_rev` but no `_id`, a malformed `_rev`, or an illegal `_id`.',
      404: 'No such keyspace, or `_rev` was given and the document does not exist.',
      409: 'The document exists and `_rev` is missing or not current.',
    },
  })
  async postDocument(@Req() request: GatewayRequest, @UrlParameters(ExpiryQuery) query: ExpiryQuery): Promise<Reply> {
    const { keyspace } = request;
    const { json, metadata } = readBody(await readJsonText(request));
    if (metadata.id === undefined && (metadata.rev !== undefined || metadata.deleted))
      throw new EdgeError('doc.invalid', 'Missing "_id"');
    const id = metadata.id === undefined ? newDocumentId() : readDocumentId(metadata.id);
    const expiresAt = readDeadline(query, Date.now());
    const stored = await this.writer.write({
      keyspace,
      id,
      expect: readExpectedRevision(undefined, undefined, metadata.rev),
      deleted: metadata.deleted,
      body: json,
      expiresAt,
    });
    this.audit.documentWritten(request, changeOf(metadata.rev, metadata.deleted), id, stored.rev);
    const location = `/${encodeURIComponent(request.params['keyspace']!)}/${encodeURIComponent(id)}`;
    return new Reply(() => writeReply(stored, query.show_cv, expiresAt), { headers: { location } });
  }

  @Get(':keyspace/:docid')
  @ReadsKeyspace()
  @Endpoint({
    tag: 'Documents',
    summary: 'Read a document',
    description: 'The properties, preceded by `_id` and `_rev`. A tombstone asked for by `rev` has `_deleted`.',
    query: ReadDocumentQuery,
    tagged: true,
    replies: { 200: { description: 'The document.', content: ['StoredDocument'] } },
    errors: {
      400: 'The document ID or the revision is malformed, or a parameter is not supported.',
      404: 'There is no such document: `reason` is `missing` or `deleted`.',
    },
  })
  async getDocument(
    @Req() request: GatewayRequest,
    @UrlParameters(ReadDocumentQuery) query: ReadDocumentQuery,
  ): Promise<Reply> {
    const id = readDocumentId(request.params['docid']!);
    const document = query.rev
      ? await this.reader.readRevision(request.keyspace, id, query.rev)
      : await this.reader.readCurrent(request.keyspace, id);
    this.audit.documentRead(request, id);
    const tags = [document.rev, currentVersionOf(document.vector)];
    return new Reply(() => documentText(document, query.show_cv), { tags });
  }

  @Put(':keyspace/:docid')
  @WritesKeyspace()
  @Endpoint({
    tag: 'Documents',
    summary: 'Create or replace a document',
    description:
      'The body is the whole new document. An existing document is replaced only by a request that names its current ' +
      'revision, as `rev`, `If-Match` or `_rev`. `"_deleted": true` deletes. Top-level properties that start with an ' +
      'underscore are metadata and not stored.',
    query: WriteDocumentQuery,
    requestHeaders: ['If-Match'],
    body: ['Document'],
    replies: {
      200: { description: 'The document is deleted (`_deleted` was true).', content: ['WriteReply'] },
      201: { description: 'The document is stored.', content: ['WriteReply'] },
    },
    errors: {
      400: 'Not a JSON object, an illegal ID, a malformed revision, or `_id` or `_rev` contradict the URL.',
      404: 'No such keyspace, or a revision was named and the document does not exist.',
      409: 'The document exists, and its current revision was not named.',
    },
  })
  async putDocument(
    @Req() request: GatewayRequest,
    @UrlParameters(WriteDocumentQuery) query: WriteDocumentQuery,
  ): Promise<Reply> {
    const id = readDocumentId(request.params['docid']!);
    const { json, metadata } = readBody(await readJsonText(request));
    if (metadata.id !== undefined && metadata.id !== id)
      throw new EdgeError('doc.invalid', '"_id" conflicts with the URL');
    const expiresAt = readDeadline(query, Date.now());
    const expect = readExpectedRevision(query.rev, request.headers['if-match'], metadata.rev);
    const { deleted } = metadata;
    const stored = await this.writer.write({ keyspace: request.keyspace, id, expect, deleted, body: json, expiresAt });
    this.audit.documentWritten(request, changeOf(expect, deleted), id, stored.rev);
    return new Reply(() => writeReply(stored, query.show_cv, expiresAt), { status: deleted ? 200 : 201 });
  }

  @Delete(':keyspace/:docid')
  @WritesKeyspace()
  @Endpoint({
    tag: 'Documents',
    summary: 'Delete a document',
    description:
      'Leaves a tombstone, whose revision is in the reply. With `ttl` or `expires` the tombstone is purged then.',
    query: WriteDocumentQuery,
    requestHeaders: ['If-Match'],
    replies: { 200: { description: 'The document is deleted.', content: ['WriteReply'] } },
    errors: {
      400: 'The document ID or a parameter is illegal.',
      404: 'There is no such document, or it is deleted already.',
      409: 'The revision is missing or not current.',
    },
  })
  async deleteDocument(
    @Req() request: GatewayRequest,
    @UrlParameters(WriteDocumentQuery) query: WriteDocumentQuery,
  ): Promise<string> {
    const expiresAt = readDeadline(query, Date.now());
    const id = readDocumentId(request.params['docid']!);
    const stored = await this.writer.write({
      keyspace: request.keyspace,
      id,
      expect: readExpectedRevision(query.rev, request.headers['if-match']),
      deleted: true,
      body: '{}',
      expiresAt,
    });
    this.audit.documentWritten(request, 'deleted', id, stored.rev);
    return writeReply(stored, query.show_cv, expiresAt);
  }
}

/** The effect of an edit that has succeeded. */
function changeOf(expect: ExpectedRevision, deleted: boolean): DocumentChange {
  if (deleted) return 'deleted';
  return expect === undefined ? 'created' : 'updated';
}
