import { Inject, Injectable } from '@nestjs/common';
import { AccessPolicy, type Principal } from '@edgesync/access';
import type { EdgeConfig, NamedQueryConfig } from '@edgesync/config';
import { EdgeError } from '@edgesync/errors';
import { EDGE_CONFIG } from '@edgesync/platform';
import { prepare, statementParameters } from '@edgesync/query';

/** A named query as `_query` lists it. */
export interface ListedQuery {
  readonly name: string;
  /** Parameters that have to be given, and those that may be left out. */
  readonly parameters: readonly string[];
  readonly optional: readonly string[];
}

/** The named queries of the configuration, and who may run them (docs/protocol/edge-server.md#named-queries-and-rights). */
@Injectable()
export class NamedQueries {
  constructor(
    @Inject(EDGE_CONFIG) private readonly config: EdgeConfig,
    @Inject(AccessPolicy) private readonly access: AccessPolicy,
  ) {}

  /**
   * The statement of a name, for a user who may run it.
   * @throws EdgeError `query.disabled`, `query.unknown`, `access.denied`
   */
  find(database: string, name: string, principal: Principal): string {
    const queries = this.config.databases.get(database)?.queries;
    if (!queries) throw new EdgeError('query.disabled', 'the database has no named queries');
    const query = queries.get(name);
    if (!query) throw new EdgeError('query.unknown', `no query ${JSON.stringify(name)}`);
    if (!this.mayRun(database, query, principal)) throw new EdgeError('access.denied');
    return query.statement;
  }

  /** The queries that a user may run, by name. */
  list(database: string, principal: Principal): ListedQuery[] {
    const queries = [...(this.config.databases.get(database)?.queries ?? [])];
    return queries
      .filter(([, query]) => this.mayRun(database, query, principal))
      .map(([name, { statement }]) => ({ name, ...parametersOf(statement) }))
      .sort((a, b) => (a.name < b.name ? -1 : 1));
  }

  /** The right to run a query is not that to read what it shows: that is its use. */
  private mayRun(database: string, { allowCollections }: NamedQueryConfig, principal: Principal): boolean {
    if (!allowCollections) return this.access.mayReadSome(principal, database);
    return allowCollections.some((collection) => this.access.rightsOn(principal, { database, ...collection }).read);
  }
}

function parametersOf(statement: string): Pick<ListedQuery, 'parameters' | 'optional'> {
  const prepared = prepare(statement, {
    database: '',
    keyspace: { scope: '_default', collection: '_default' },
    collections: 'any',
    fullTextIndexes: () => 'any',
  });
  const { required, optional } = statementParameters(prepared);
  return { parameters: required, optional };
}
