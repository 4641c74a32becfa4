import { Controller, Get, Post } from '@nestjs/common';
import { EdgeError } from '@edgesync/errors';
import { ReadsKeyspace } from '../keyspaces/keyspace.guards.js';
import { Endpoint, type EndpointDescription } from '../openapi/endpoint.decorator.js';

const description = (summary: string): EndpointDescription => ({
  tag: 'Queries',
  summary,
  description: 'SQL++ queries are not supported yet. Answered like a database that allows none.',
  replies: {},
  errors: { 403: 'Queries are not enabled, or the user may not read the keyspace.', 404: 'No such keyspace.' },
});

/**
 * `_query` (docs/protocol/rest.md#queries), as a database answers that has neither ad hoc queries nor queries with
 * names.
 */
@Controller()
export class QueryController {
  @Post(':keyspace/_query')
  @ReadsKeyspace()
  @Endpoint(description('Run a query'))
  adHoc(): never {
    throw new EdgeError('query.disabled');
  }

  @Get(':keyspace/_query/:query')
  @ReadsKeyspace()
  @Endpoint(description('Run a named query'))
  named(): never {
    throw new EdgeError('query.disabled');
  }

  @Post(':keyspace/_query/:query')
  @ReadsKeyspace()
  @Endpoint(description('Run a named query, with parameters in the body'))
  namedWithBody(): never {
    throw new EdgeError('query.disabled');
  }
}
