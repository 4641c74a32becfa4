import { Controller, Get, HttpCode, Inject, Post, Req, Res } from '@nestjs/common';
import type { FastifyReply } from 'fastify';
import type { EdgeConfig } from '@edgesync/config';
import { EdgeError } from '@edgesync/errors';
import { EDGE_CONFIG, STORAGE } from '@edgesync/platform';
import type { QueryRunner } from '@edgesync/ports';
import type { GatewayRequest } from '../http/gateway-request.js';
import { checkParameters, type QueryParameters } from '../http/query-string.js';
import { readText } from '../http/request-body.js';
import { ReadsKeyspace } from '../keyspaces/keyspace.guards.js';
import { Endpoint, type Content, type EndpointDescription } from '../openapi/endpoint.decorator.js';
import { asksForEvents, LiveQueries } from './live-queries.service.js';
import { NamedQueries } from './named-queries.service.js';
import { readAskedStatement, readParametersBody, readParametersOfUrl, type AskedStatement } from './query-request.js';
import { QueryRuns, type AllowedQuery } from './query-runs.service.js';
import { StatementRights } from './statement-rights.service.js';

const ROWS: readonly Content[] = ['QueryRows', 'events'];

const LIVE =
  ' With `Accept: text/event-stream` the query is live: the result, then a new one whenever a write changed it. Each ' +
  'event is a whole result; its ID stands for its content, and `Last-Event-ID` leaves out one that the client has. An ' +
  'event of type `error` ends a query that cannot go on.';

const describe = (
  parts: Pick<EndpointDescription, 'summary' | 'description' | 'body'>,
  errors: Readonly<Record<number, string>>,
): EndpointDescription => ({
  tag: 'Queries',
  ...parts,
  description: parts.description + LIVE,
  requestHeaders: ['Last-Event-ID'],
  replies: { 200: { description: 'The rows.', content: ROWS } },
  errors: {
    400: 'The statement or a parameter is invalid, the statement failed, or its time is over.',
    503: 'Too many queries are running: try again as `Retry-After` says.',
    ...errors,
  },
});

const NAMED_ERRORS = {
  403: 'The database has no named queries, or the user may not run this one.',
  404: 'No such keyspace, or no such query.',
};

/** `_query` and `_explain` (docs/protocol/rest.md#queries). */
@Controller()
export class QueryController {
  constructor(
    @Inject(EDGE_CONFIG) private readonly config: EdgeConfig,
    @Inject(STORAGE) private readonly storage: QueryRunner,
    @Inject(NamedQueries) private readonly queries: NamedQueries,
    @Inject(StatementRights) private readonly rights: StatementRights,
    @Inject(QueryRuns) private readonly runs: QueryRuns,
    @Inject(LiveQueries) private readonly live: LiveQueries,
  ) {}

  @Get(':keyspace/_query')
  @ReadsKeyspace()
  @Endpoint({
    tag: 'Queries',
    summary: 'List named queries',
    description: 'The named queries that the user may run, with their parameters.',
    replies: { 200: { description: 'The queries.', content: ['NamedQueries'] } },
  })
  getNamedQueries(@Req() { keyspace, principal }: GatewayRequest): object {
    return this.queries.list(keyspace.database, principal);
  }

  @Post(':keyspace/_query')
  @HttpCode(200)
  @ReadsKeyspace()
  @Endpoint(
    describe(
      {
        summary: 'Run a query',
        description:
          'Runs a SQL++ statement (docs/sqlpp.md). Under access control the user needs the right to read every ' +
          'collection of it.',
        body: ['AdHocQuery'],
      },
      { 403: 'Ad hoc queries are not enabled, or the user may not read a collection.' },
    ),
  )
  async postQuery(@Req() request: GatewayRequest, @Res() reply: FastifyReply): Promise<void> {
    this.checkAdHoc(request);
    await this.answer(request, reply, await this.allowAdHoc(request, readAskedStatement(await readText(request))));
  }

  @Get(':keyspace/_query/:query')
  @ReadsKeyspace()
  @Endpoint(
    describe(
      {
        summary: 'Run a named query',
        description:
          'Every parameter of the URL is a parameter of the statement: a JSON number, string, `true`, `false` or ' +
          '`null`, else text.',
      },
      NAMED_ERRORS,
    ),
  )
  async getNamedQuery(@Req() request: GatewayRequest, @Res() reply: FastifyReply): Promise<void> {
    const parameters = readParametersOfUrl(checkParameters(request.query as QueryParameters));
    await this.answer(request, reply, this.allowNamed(request, request.params['query']!, parameters));
  }

  @Post(':keyspace/_query/:query')
  @HttpCode(200)
  @ReadsKeyspace()
  @Endpoint(
    describe(
      {
        summary: 'Run a named query, with parameters in the body',
        description: 'The body is a JSON object of parameters; it may be empty.',
        body: ['json'],
      },
      NAMED_ERRORS,
    ),
  )
  async postNamedQuery(@Req() request: GatewayRequest, @Res() reply: FastifyReply): Promise<void> {
    const parameters = readParametersBody(await readText(request));
    await this.answer(request, reply, this.allowNamed(request, request.params['query']!, parameters));
  }

  @Post(':keyspace/_explain')
  @HttpCode(200)
  @ReadsKeyspace()
  @Endpoint({
    tag: 'Queries',
    summary: 'Explain a query',
    description: 'How the statement, or the named query, would find its documents, and what would make it faster.',
    body: ['ExplainedQuery'],
    replies: { 200: { description: 'The plan in words.', content: ['QueryPlan'] } },
    errors: {
      400: 'The statement or a parameter is invalid.',
      403: 'The user may not run the query.',
      404: 'No such keyspace, or no such query.',
    },
  })
  async explainQuery(@Req() request: GatewayRequest): Promise<object> {
    const asked = readAskedStatement(await readText(request));
    if (asked.query !== undefined && asked.name !== undefined)
      throw new EdgeError('request.invalid', 'the body has both "query" and "name"');
    let query: AllowedQuery;
    if (asked.name !== undefined) query = this.allowNamed(request, asked.name, asked.parameters);
    else {
      this.checkAdHoc(request);
      query = await this.allowAdHoc(request, asked);
    }
    const { keyspace, statement, parameters } = query;
    const { plan, hints } = await this.storage.explain(keyspace, statement, {
      ...(parameters !== undefined && { parameters }),
    });
    return { plan, hints };
  }

  private answer(request: GatewayRequest, reply: FastifyReply, query: AllowedQuery): Promise<void> {
    return asksForEvents(request) ? this.live.begin(request, reply, query) : this.runs.answer(request, reply, query);
  }

  private checkAdHoc({ keyspace }: GatewayRequest): void {
    if (!this.config.databases.get(keyspace.database)?.enableAdhocQueries) throw new EdgeError('query.disabled');
  }

  private async allowAdHoc({ keyspace, principal }: GatewayRequest, asked: AskedStatement): Promise<AllowedQuery> {
    const { query: statement, parameters } = asked;
    if (statement === undefined) throw new EdgeError('request.invalid', 'the body has no "query"');
    await this.rights.check(principal, keyspace, statement);
    return { keyspace, statement, ...(parameters !== undefined && { parameters }) };
  }

  private allowNamed(
    { keyspace, principal }: GatewayRequest,
    name: string,
    parameters: string | undefined,
  ): AllowedQuery {
    const statement = this.queries.find(keyspace.database, name, principal);
    return { keyspace, statement, name, ...(parameters !== undefined && { parameters }) };
  }
}
