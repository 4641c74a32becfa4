import { Controller, Delete, Get, HttpCode, Inject, Put, Req, Res } from '@nestjs/common';
import type { FastifyReply } from 'fastify';
import { blobDictionary, getMember, readBlob, readProperty, type BlobReference } from '@edgesync/document';
import { EdgeError } from '@edgesync/errors';
import { currentVersionOf } from '@edgesync/revision';
import { STORAGE } from '@edgesync/platform';
import type { DocumentRevision, Storage } from '@edgesync/ports';
import { readDocumentId } from '../documents/document-id.js';
import { DocumentReader } from '../documents/document-reader.service.js';
import { writeReply } from '../documents/write-result.js';
import { matchesNone } from '../http/entity-tag.js';
import type { GatewayRequest } from '../http/gateway-request.js';
import { RequestAudit } from '../http/request-audit.js';
import { Reply, sendReply } from '../http/reply.js';
import { readText } from '../http/request-body.js';
import { ReadsKeyspace, WritesKeyspace } from '../keyspaces/keyspace.guards.js';
import { Endpoint } from '../openapi/endpoint.decorator.js';
import { UrlParameters } from '../parameters/read-parameters.js';
import { readExpectedRevision } from '../parameters/revision.js';
import { findAttachment } from './attachment.js';
import { DEFAULT_BLOB_TYPE, sendBlob } from './blob-reply.js';
import { storeBlob } from './blob-upload.js';
import { PropertyEditor } from './property-editor.service.js';
import { ReadPropertyQuery, WritePropertyQuery } from './property-queries.js';

const JSON_PROPERTY = /^\s*application\/json\s*(?:;|$)/i;

/** Single properties of documents, and blobs (docs/protocol/rest.md#properties). */
@Controller()
export class PropertyController {
  constructor(
    @Inject(STORAGE) private readonly storage: Storage,
    @Inject(DocumentReader) private readonly reader: DocumentReader,
    @Inject(PropertyEditor) private readonly editor: PropertyEditor,
    @Inject(RequestAudit) private readonly audit: RequestAudit,
  ) {}

  @Get(':keyspace/:docid/:key')
  @ReadsKeyspace()
  @Endpoint({
    tag: 'Properties and blobs',
    summary: 'Read a property or a blob',
    description:
      'The value of one top-level property as JSON; if it is a blob, its bytes with the stored content type. A key that ' +
      'only `_attachments` has is redirected there.',
    query: ReadPropertyQuery,
    requestHeaders: ['Range'],
    tagged: true,
    replies: {
      200: { description: 'The value, or the bytes of the blob.', content: ['json', 'bytes'] },
      206: {
        description: 'The part of the blob that `Range` asks for.',
        content: ['bytes'],
        headers: ['ETag', 'Content-Range'],
      },
      302: { description: 'The key names an attachment.', headers: ['Location'] },
    },
    errors: {
      400: 'The document ID is illegal.',
      404: 'There is no such document, property or blob.',
      416: 'The range lies outside of the blob.',
    },
  })
  async getProperty(
    @Req() request: GatewayRequest,
    @UrlParameters(ReadPropertyQuery) query: ReadPropertyQuery,
    @Res() reply: FastifyReply,
  ): Promise<void> {
    const key = request.params['key']!;
    const document = await this.open(request, query.rev);
    const tags = tagsOf(document);
    if (matchesNone(request.headers['if-none-match'], tags)) return sendReply(reply, new Reply(undefined, { tags }));
    const valueText = key.startsWith('_') ? undefined : getMember(document.body, key);
    if (valueText === undefined) {
      if (!findAttachment(document.body, key)) throw new EdgeError('doc.property-missing');
      const [path, search = ''] = splitUrl(request.raw.url!);
      const location = `${path.replace(/\/[^/]*\/?$/, '')}/_attachments/${encodeURIComponent(key)}${search}`;
      return sendReply(reply, new Reply(undefined, { status: 302, headers: { location } }));
    }
    const blob = readBlob(valueText);
    if (blob) return this.sendBlob(request, reply, blob, document.rev);
    sendReply(reply, new Reply(() => valueText, { tags }));
  }

  @Get(':keyspace/:docid/_attachments/:name')
  @ReadsKeyspace()
  @Endpoint({
    tag: 'Properties and blobs',
    summary: 'Read an attachment',
    description: 'The bytes of an attachment that came with a document from elsewhere and is no blob property.',
    query: ReadPropertyQuery,
    requestHeaders: ['Range'],
    tagged: true,
    replies: {
      200: { description: 'The bytes.', content: ['bytes'] },
      206: {
        description: 'The part that `Range` asks for.',
        content: ['bytes'],
        headers: ['ETag', 'Content-Range'],
      },
    },
    errors: {
      400: 'The document ID is illegal.',
      404: 'There is no such document or attachment.',
      416: 'The range lies outside of the attachment.',
    },
  })
  async getAttachment(
    @Req() request: GatewayRequest,
    @UrlParameters(ReadPropertyQuery) query: ReadPropertyQuery,
    @Res() reply: FastifyReply,
  ): Promise<void> {
    const document = await this.open(request, query.rev);
    const blob = findAttachment(document.body, request.params['name']!);
    if (!blob) throw new EdgeError('blob.missing');
    const tags = tagsOf(document);
    if (matchesNone(request.headers['if-none-match'], tags)) return sendReply(reply, new Reply(undefined, { tags }));
    await this.sendBlob(request, reply, blob, document.rev);
  }

  @Put(':keyspace/:docid/:key')
  @HttpCode(201)
  @WritesKeyspace()
  @Endpoint({
    tag: 'Properties and blobs',
    summary: 'Set a property or upload a blob',
    description:
      'With `Content-Type: application/json` the body becomes the value of the property. With any other type (default ' +
      '`application/octet-stream`) the body is stored as a blob, and the property becomes its description. The document ' +
      'is created if it does not exist and no revision is named.',
    query: WritePropertyQuery,
    requestHeaders: ['If-Match'],
    body: ['json', 'bytes'],
    replies: { 201: { description: 'The property is stored.', content: ['WriteReply'] } },
    errors: {
      400: 'The value is not JSON, or an ID or key is illegal.',
      404: 'No such keyspace, or a revision was named and the document does not exist.',
      409: 'The document exists, and its current revision was not named.',
      413: 'The value is larger than 20 MB, or the blob has 20 MB or more.',
      415: 'The body has a Content-Encoding.',
    },
  })
  async putProperty(
    @Req() request: GatewayRequest,
    @UrlParameters(WritePropertyQuery) query: WritePropertyQuery,
  ): Promise<string> {
    const id = readDocumentId(request.params['docid']!);
    const key = readWritableKey(request.params['key']!);
    const expect = readExpectedRevision(query.rev, request.headers['if-match']);
    const document = await this.editor.openForSet(request.keyspace, id, expect);
    const valueText = await this.readValue(request);
    const stored = await this.editor.set(document, key, valueText);
    this.audit.documentWritten(request, document.expect === undefined ? 'created' : 'updated', id, stored.rev);
    return writeReply(stored, query.show_cv);
  }

  @Delete(':keyspace/:docid/:key')
  @WritesKeyspace()
  @Endpoint({
    tag: 'Properties and blobs',
    summary: 'Remove a property',
    query: WritePropertyQuery,
    requestHeaders: ['If-Match'],
    replies: { 200: { description: 'The property is removed.', content: ['WriteReply'] } },
    errors: {
      400: 'The document ID or the key is illegal.',
      404: 'There is no such document or property.',
      409: 'The revision is missing or not current.',
    },
  })
  async deleteProperty(
    @Req() request: GatewayRequest,
    @UrlParameters(WritePropertyQuery) query: WritePropertyQuery,
  ): Promise<string> {
    const id = readDocumentId(request.params['docid']!);
    const key = readWritableKey(request.params['key']!);
    const expect = readExpectedRevision(query.rev, request.headers['if-match']);
    const document = await this.editor.openForRemoval(request.keyspace, id, key, expect);
    const stored = await this.editor.remove(document, key);
    this.audit.documentWritten(request, 'updated', id, stored.rev);
    return writeReply(stored, query.show_cv);
  }

  private async open(request: GatewayRequest, rev: string | undefined): Promise<DocumentRevision> {
    const { keyspace } = request;
    const id = readDocumentId(request.params['docid']!);
    const document = await (rev ? this.reader.readRevision(keyspace, id, rev) : this.reader.readCurrent(keyspace, id));
    this.audit.documentRead(request, id);
    return document;
  }

  /** The value that the request's body stands for, as JSON text. */
  private async readValue(request: GatewayRequest): Promise<string> {
    const contentType = request.headers['content-type'] || DEFAULT_BLOB_TYPE;
    if (JSON_PROPERTY.test(contentType)) return readProperty(await readText(request));
    const { digest, length } = await storeBlob(request, this.storage, request.keyspace.database);
    return blobDictionary({ digest, length, contentType });
  }

  private async sendBlob(
    request: GatewayRequest,
    reply: FastifyReply,
    blob: BlobReference,
    rev: string,
  ): Promise<void> {
    const content = await this.storage.openBlob(request.keyspace.database, blob.digest);
    if (!content) throw new EdgeError('blob.missing');
    await this.audit.written();
    sendBlob(request, reply, blob, content, rev);
  }
}

/** Either ID of the revision will do in `If-None-Match`. */
const tagsOf = ({ rev, vector }: DocumentRevision): readonly string[] => [rev, currentVersionOf(vector)];

/** @throws EdgeError `doc.invalid` for metadata, which is not set property by property */
function readWritableKey(key: string): string {
  if (key.startsWith('_'))
    throw new EdgeError('doc.invalid', 'a property that starts with an underscore cannot be written');
  return key;
}

function splitUrl(url: string): [path: string, search?: string] {
  const at = url.indexOf('?');
  return at < 0 ? [url] : [url.slice(0, at), url.slice(at)];
}
