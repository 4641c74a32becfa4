import { Controller, Get, HttpCode, Inject, Post, Req, Res } from '@nestjs/common';
import type { FastifyReply } from 'fastify';
import { STORAGE } from '@edgesync/platform';
import type { Storage } from '@edgesync/ports';
import { matchesNone } from '../http/entity-tag.js';
import type { GatewayRequest } from '../http/gateway-request.js';
import { Reply, sendReply } from '../http/reply.js';
import { sendJsonStream } from '../http/stream-reply.js';
import { CollectionTags } from '../keyspaces/collection-tags.js';
import { ReadsKeyspace } from '../keyspaces/keyspace.guards.js';
import { Endpoint } from '../openapi/endpoint.decorator.js';
import { givenParameters, readParameters, UrlParameters } from '../parameters/read-parameters.js';
import { documentPages, keyPages } from './document-pages.js';
import { listingText } from './listing-text.js';
import { ListingParameters, readListingRequest, type ListingRequest } from './listing-parameters.js';

const DESCRIPTION =
  'Live documents in binary order of their IDs, or those that `keys` names in the order given. `total_rows` is the ' +
  'number of rows returned, `update_seq` the last sequence of the collection. The reply is streamed: listings of any ' +
  'size take little memory on either side.';

/** `_all_docs` (docs/protocol/rest.md#listing-documents). */
@Controller()
export class AllDocsController {
  constructor(
    @Inject(STORAGE) private readonly storage: Storage,
    @Inject(CollectionTags) private readonly tags: CollectionTags,
  ) {}

  @Get(':keyspace/_all_docs')
  @ReadsKeyspace()
  @Endpoint({
    tag: 'Documents',
    summary: 'List documents',
    description: DESCRIPTION,
    query: ListingParameters,
    tagged: true,
    replies: { 200: { description: 'The rows.', content: ['Listing'] } },
  })
  async getDocuments(
    @Req() request: GatewayRequest,
    @UrlParameters(ListingParameters) query: ListingParameters,
    @Res() reply: FastifyReply,
  ): Promise<void> {
    const info = await this.storage.collection(request.keyspace);
    const tag = await this.tags.of(request.keyspace.database, info);
    if (matchesNone(request.headers['if-none-match'], [tag]))
      return sendReply(reply, new Reply(undefined, { tags: [tag] }));
    reply.header('etag', `"${tag}"`);
    await this.send(request, readListingRequest(query, false), info.lastSequence, reply);
  }

  @Post(':keyspace/_all_docs')
  @HttpCode(200)
  @ReadsKeyspace()
  @Endpoint({
    tag: 'Documents',
    summary: 'List documents, with parameters in the body',
    description: `${DESCRIPTION} \`include_docs\` is true unless the body says otherwise.`,
    body: ['ListingParameters'],
    replies: { 200: { description: 'The rows.', content: ['Listing'] } },
    errors: {
      400: 'The body is not a JSON object, or a parameter is invalid.',
    },
  })
  async postListing(@Req() request: GatewayRequest, @Res() reply: FastifyReply): Promise<void> {
    const parameters = readParameters(ListingParameters, await givenParameters(request));
    const { lastSequence } = await this.storage.collection(request.keyspace);
    await this.send(request, readListingRequest(parameters, true), lastSequence, reply);
  }

  private send(
    { keyspace }: GatewayRequest,
    asked: ListingRequest,
    updateSeq: number,
    reply: FastifyReply,
  ): Promise<void> {
    const pages = asked.keys ? keyPages(this.storage, keyspace, asked) : documentPages(this.storage, keyspace, asked);
    return sendJsonStream(reply, listingText(pages, asked.showCv, updateSeq));
  }
}
