import { Controller, Inject, Post, Req, Res } from '@nestjs/common';
import type { FastifyReply } from 'fastify';
import { splitBulkDocs } from '@edgesync/document';
import { EdgeError } from '@edgesync/errors';
import type { GatewayRequest } from '../http/gateway-request.js';
import { sendJson } from '../http/reply.js';
import { readJsonText } from '../http/request-body.js';
import { WritesKeyspace } from '../keyspaces/keyspace.guards.js';
import { Endpoint } from '../openapi/endpoint.decorator.js';
import { ShowCvQuery } from '../parameters/show-cv.js';
import { UrlParameters } from '../parameters/url-parameters.js';
import { BulkWriter } from './bulk-writer.service.js';

/** `_bulk_docs` (docs/protocol/rest.md#bulk-edits). */
@Controller()
export class BulkDocsController {
  constructor(@Inject(BulkWriter) private readonly writer: BulkWriter) {}

  @Post(':keyspace/_bulk_docs')
  @WritesKeyspace()
  @Endpoint({
    tag: 'Documents',
    summary: 'Create, update and delete many documents',
    description:
      'The items are applied in order, in one transaction: those that fail are skipped, the others are stored together. ' +
      'With `"new_edits": false` the given revisions are stored as they are, without a conflict check; every item then ' +
      'has `_id` and `_rev`, and may have `_revisions`. Top-level properties that start with an underscore are metadata ' +
      'and not stored.',
    query: ShowCvQuery,
    body: [{ schema: 'BulkDocs' }],
    replies: {
      201: {
        description: 'The batch was processed. One element per item, in order; failed items have a `status`.',
        content: [{ schema: 'BulkDocsReply' }],
      },
    },
    errors: {
      400: 'The body is not a JSON object with an array `docs`.',
      403: 'Writing over REST is disabled for the database.',
      404: 'No such keyspace.',
      413: 'The body is larger than 20 MB.',
      415: 'The content type is not JSON, or the body has a Content-Encoding.',
    },
  })
  async write(
    @Req() request: GatewayRequest,
    @UrlParameters(ShowCvQuery) { show_cv: showCv }: ShowCvQuery,
    @Res() reply: FastifyReply,
  ): Promise<void> {
    const { docs, members } = splitBulkDocs(await readJsonText(request));
    const newEdits = readNewEdits(members.get('new_edits'));
    sendJson(reply, 201, await this.writer.write(request.keyspace, docs, { newEdits, showCv }));
  }
}

function readNewEdits(valueText: string | undefined): boolean {
  if (valueText === undefined || valueText === 'null' || valueText === 'true') return true;
  if (valueText === 'false') return false;
  throw new EdgeError('request.invalid', '"new_edits" must be true or false');
}
