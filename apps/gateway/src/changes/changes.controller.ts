import { Controller, Get, HttpCode, Inject, Post, Req, Res } from '@nestjs/common';
import type { FastifyReply } from 'fastify';
import type { GatewayRequest } from '../http/gateway-request.js';
import { ReadsKeyspace } from '../keyspaces/keyspace.guards.js';
import { Endpoint, type Content } from '../openapi/endpoint.decorator.js';
import { givenParameters, readParameters, UrlParameters } from '../parameters/read-parameters.js';
import { ChangesParameters, readFeedRequest, readLastEventId } from './changes-parameters.js';
import { FeedResponses } from './feed-responses.service.js';

const DESCRIPTION =
  'Every document that changed, once, at its latest sequence, in order of sequence. Feeds that wait send their headers at ' +
  'once, and what they have sent when the server stops or their time is over; go on from `last_seq`, or from the last ' +
  '`seq`. A client that reads slowly misses only what was superseded meanwhile; one that takes nothing for five minutes ' +
  'is disconnected.';

const CONTENT: readonly Content[] = ['Changes', 'text', 'events'];

/** `_changes` (docs/protocol/rest.md#changes-feed). */
@Controller()
export class ChangesController {
  constructor(@Inject(FeedResponses) private readonly feeds: FeedResponses) {}

  @Get(':keyspace/_changes')
  @ReadsKeyspace()
  @Endpoint({
    tag: 'Changes',
    summary: 'Follow the changes of a collection',
    description: DESCRIPTION,
    query: ChangesParameters,
    requestHeaders: ['Last-Event-ID'],
    replies: { 200: { description: 'The changes, in the form that `feed` names.', content: CONTENT } },
  })
  async getChanges(
    @Req() request: GatewayRequest,
    @UrlParameters(ChangesParameters) query: ChangesParameters,
    @Res() reply: FastifyReply,
  ): Promise<void> {
    const url = request.raw.url!;
    const mark = url.indexOf('?');
    await this.begin(request, reply, query, mark < 0 ? '' : url.slice(mark + 1));
  }

  @Post(':keyspace/_changes')
  @HttpCode(200)
  @ReadsKeyspace()
  @Endpoint({
    tag: 'Changes',
    summary: 'Follow the changes of a collection, with parameters in the body',
    description: `${DESCRIPTION} Members of the body go before parameters of the URL.`,
    body: ['ChangesParameters'],
    requestHeaders: ['Last-Event-ID'],
    replies: { 200: { description: 'The changes, in the form that `feed` names.', content: CONTENT } },
    errors: {
      400: 'The body is not a JSON object, or a parameter is invalid.',
    },
  })
  async postChanges(@Req() request: GatewayRequest, @Res() reply: FastifyReply): Promise<void> {
    const given = await givenParameters(request);
    const parameters = readParameters(ChangesParameters, given);
    await this.begin(request, reply, parameters, asQueryString(given, Object.keys(parameters)));
  }

  private begin(
    request: GatewayRequest,
    reply: FastifyReply,
    parameters: ChangesParameters,
    args: string,
  ): Promise<void> {
    const asked = readFeedRequest(parameters);
    const since = asked.mode === 'sse' ? readLastEventId(request.headers['last-event-id']) : undefined;
    return this.feeds.begin(request, reply, since === undefined ? asked : { ...asked, since }, args);
  }
}

/** The parameters that mean something, as a URL would have them. */
function asQueryString(given: Readonly<Record<string, unknown>>, names: readonly string[]): string {
  const result = new URLSearchParams();
  for (const [name, value] of Object.entries(given)) {
    if (names.includes(name) && value !== undefined && value !== null)
      result.append(name, typeof value === 'object' ? JSON.stringify(value) : String(value as string));
  }
  return result.toString();
}
