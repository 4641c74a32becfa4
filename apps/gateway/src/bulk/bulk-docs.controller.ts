import { Controller, Inject, Post, Req } from '@nestjs/common';
import { splitBulkDocs } from '@edgesync/document';
import { EdgeError } from '@edgesync/errors';
import type { GatewayRequest } from '../http/gateway-request.js';
import { readJsonText } from '../http/request-body.js';
import { WritesKeyspace } from '../keyspaces/keyspace.guards.js';
import { Endpoint } from '../openapi/endpoint.decorator.js';
import { ShowCvQuery } from '../parameters/show-cv.js';
import { UrlParameters } from '../parameters/read-parameters.js';
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
    body: ['BulkDocs'],
    replies: {
      201: {
        description: 'The batch was processed. One element per item, in order; failed items have a `status`.',
        content: ['BulkDocsReply'],
      },
    },
    errors: {
      400: 'The body is not a JSON object with an array `docs`.',
    },
  })
  async postDocuments(
    @Req() request: GatewayRequest,
    @UrlParameters(ShowCvQuery) { show_cv: showCv }: ShowCvQuery,
  ): Promise<string> {
    const { docs, members } = splitBulkDocs(await readJsonText(request));
    const newEdits = readNewEdits(members.get('new_edits'));
    return this.writer.write(request.keyspace, docs, { newEdits, showCv });
  }
}

function readNewEdits(valueText: string | undefined): boolean {
  if (valueText === undefined || valueText === 'null' || valueText === 'true') return true;
  if (valueText === 'false') return false;
  throw new EdgeError('request.invalid', '"new_edits" must be true or false');
}
