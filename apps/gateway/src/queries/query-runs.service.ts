import { Inject, Injectable } from '@nestjs/common';
import type { FastifyReply } from 'fastify';
import type { EdgeConfig } from '@edgesync/config';
import { formatCollection, type Keyspace } from '@edgesync/document';
import { isEdgeError } from '@edgesync/errors';
import {
  AUDIT_LOG,
  EDGE_CONFIG,
  LOGGERS,
  METRICS,
  STORAGE,
  type AuditLog,
  type Logger,
  type Loggers,
  type Metrics,
} from '@edgesync/platform';
import type { QueryBatch, QueryResult, QueryRunner } from '@edgesync/ports';
import type { GatewayRequest } from '../http/gateway-request.js';
import { JSON_TYPE } from '../http/reply.js';
import { actorOf } from '../http/request-audit.js';
import { ClientGoneError } from '../http/request-body.js';
import { resultText, sendResult } from './query-reply.js';
import { shownStatement, shownSummary } from './query-text.js';

/** A statement that may be run. */
export interface AllowedQuery {
  readonly keyspace: Keyspace;
  readonly statement: string;
  /** Absent: an ad hoc query. */
  readonly name?: string;
  /** JSON object. */
  readonly parameters?: string;
}

export type QueryKind = 'named' | 'adhoc' | 'live';

/** Runs statements for requests, and reports what they cost: log, metrics, audit. */
@Injectable()
export class QueryRuns {
  private readonly log: Logger;

  constructor(
    @Inject(STORAGE) private readonly storage: QueryRunner,
    @Inject(EDGE_CONFIG) private readonly config: EdgeConfig,
    @Inject(METRICS) private readonly metrics: Metrics,
    @Inject(AUDIT_LOG) private readonly audit: AuditLog,
    @Inject(LOGGERS) loggers: Loggers,
  ) {
    this.log = loggers.domain('Query');
  }

  /**
   * Answers a request with the result. Stops the statement when the client leaves.
   * @throws EdgeError as `QueryRunner.query`, before the reply has begun
   */
  async answer(request: GatewayRequest, reply: FastifyReply, query: AllowedQuery): Promise<void> {
    const stop = new AbortController();
    reply.raw.once('close', () => stop.abort(new ClientGoneError()));
    const answered = this.audited(request, query);
    try {
      const batches = await this.run(query, kindOf(query), stop.signal);
      if (request.raw.method !== 'HEAD') return await sendResult(reply, resultText(batches), () => answered(200));
      await batches.next();
      await batches.return(undefined);
      answered(200);
      reply.header('content-type', JSON_TYPE).send();
    } catch (error) {
      answered(error);
      throw error;
    }
  }

  /**
   * Records a query in the audit log once the answer is known, before it leaves.
   * @returns to be called with the status of the reply, or with what the answer fails with
   */
  audited(request: GatewayRequest, { keyspace, name }: AllowedQuery, live = false): (outcome: unknown) => void {
    return (outcome) => {
      if (outcome instanceof ClientGoneError) return;
      const status = typeof outcome === 'number' ? outcome : statusOf(outcome);
      this.audit.queried(actorOf(request), keyspace, { ...(name !== undefined && { name }), live, status });
    };
  }

  /**
   * The batches of a result. The first one, or the end, is certain. To be read: nothing else ends the statement.
   * @throws EdgeError as `QueryRunner.query`
   */
  async run(
    query: AllowedQuery,
    kind: QueryKind,
    signal: AbortSignal,
  ): Promise<AsyncGenerator<QueryBatch, void, undefined>> {
    const { keyspace, statement, parameters } = query;
    const began = performance.now();
    try {
      const result = await this.storage.query(keyspace, statement, {
        ...(parameters !== undefined && { parameters }),
        signal,
      });
      return this.watched(query, kind, began, result);
    } catch (error) {
      this.failed(query, kind, began, error);
      throw error;
    }
  }

  private async *watched(
    query: AllowedQuery,
    kind: QueryKind,
    began: number,
    result: QueryResult,
  ): AsyncGenerator<QueryBatch, void, undefined> {
    try {
      for await (const batch of result) {
        this.metrics.queries.rows.with(kind).inc(batch.rows);
        yield batch;
      }
      this.ended(query, kind, began, result.summary);
    } catch (error) {
      this.failed(query, kind, began, error);
      throw error;
    }
  }

  private ended(query: AllowedQuery, kind: QueryKind, began: number, summary: QueryResult['summary']): void {
    const milliseconds = performance.now() - began;
    this.metrics.queries.seconds.with(kind).observe(milliseconds / 1_000);
    if (!summary) return;
    const slow = this.config.databases.get(query.keyspace.database)?.queryLimits.slow ?? Infinity;
    const level = summary.seconds * 1_000 > slow ? 'info' : 'verbose';
    if (this.log.enabled(level)) this.log[level](`${describe(query)}: ${shownSummary(summary)}`);
  }

  private failed(query: AllowedQuery, kind: QueryKind, began: number, error: unknown): void {
    if (error instanceof ClientGoneError) return;
    const status = statusOf(error);
    this.metrics.queries.seconds.with(kind).observe((performance.now() - began) / 1_000);
    this.metrics.queries.failures.with(kind, String(status)).inc();
    if (this.log.enabled('verbose'))
      this.log.verbose(`${describe(query)} failed: ${isEdgeError(error) ? error.message : 'internal error'}`);
  }
}

export const kindOf = ({ name }: AllowedQuery): QueryKind => (name === undefined ? 'adhoc' : 'named');

const statusOf = (error: unknown): number => (isEdgeError(error) ? error.status : 500);

function describe({ keyspace, name, statement }: AllowedQuery): string {
  const where = `${keyspace.database}.${formatCollection(keyspace)}`;
  return name === undefined
    ? `ad hoc query on ${where}: ${shownStatement(statement)}`
    : `query ${JSON.stringify(name)} on ${where}`;
}
