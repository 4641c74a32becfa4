import { createHash } from 'node:crypto';
import { backOffMs } from '@edgesync/async';
import { Inject, Injectable, type BeforeApplicationShutdown } from '@nestjs/common';
import type { FastifyReply } from 'fastify';
import type { EdgeConfig } from '@edgesync/config';
import { keyspaceKey, type Keyspace } from '@edgesync/document';
import { EdgeError, isEdgeError } from '@edgesync/errors';
import {
  ACTIVE_TASKS,
  AUTHENTICATOR,
  EDGE_CONFIG,
  METRICS,
  STORAGE,
  type ActiveTasks,
  type Authenticator,
  type Metrics,
} from '@edgesync/platform';
import type { CollectionInfo, Storage } from '@edgesync/ports';
import { FeedOutput } from '../changes/feed-output.js';
import type { GatewayRequest } from '../http/gateway-request.js';
import { ClientGoneError } from '../http/request-body.js';
import {
  LIVE_CHECK_INTERVALS,
  LIVE_RETRY_MS,
  LONGEST_LIVE_RETRY_MS,
  MAX_HELD_LIVE_CHARACTERS,
  MAX_LIVE_CHARACTERS,
  MAX_LIVE_CLIENTS,
  MAX_LIVE_RESULTS,
} from '../tuning.js';
import { LiveClient } from './live-client.js';
import { LiveResult, type LiveSnapshot } from './live-result.js';
import { resultText } from './query-reply.js';
import { QueryRuns, type AllowedQuery } from './query-runs.service.js';
import { StatementRights } from './statement-rights.service.js';

const EVENT_STREAM = 'text/event-stream';

/** Whether the client asks for a live query: it accepts events before JSON. */
export function asksForEvents({ headers }: GatewayRequest): boolean {
  const accepted = (headers.accept ?? '').split(',').map((type) => type.split(';')[0]!.trim().toLowerCase());
  return accepted.find((type) => type === EVENT_STREAM || type === 'application/json') === EVENT_STREAM;
}

/** Statements whose results clients follow. Equal ones of many clients run once. */
@Injectable()
export class LiveQueries implements BeforeApplicationShutdown {
  private readonly results = new Map<string, LiveResult>();
  private readonly clients = new Set<LiveClient>();
  private heldCharacters = 0;
  private isDraining = false;

  constructor(
    @Inject(STORAGE) private readonly storage: Storage,
    @Inject(QueryRuns) private readonly runs: QueryRuns,
    @Inject(StatementRights) private readonly rights: StatementRights,
    @Inject(EDGE_CONFIG) private readonly config: EdgeConfig,
    @Inject(ACTIVE_TASKS) private readonly tasks: ActiveTasks,
    @Inject(AUTHENTICATOR) private readonly authenticator: Authenticator,
    @Inject(METRICS) private readonly metrics: Metrics,
  ) {}

  /**
   * Answers a request with the result and, whenever it changes, the new one. Resolves when the first is on its way.
   * @throws EdgeError as `QueryRunner.query`, `server.*`
   */
  async begin(request: GatewayRequest, reply: FastifyReply, query: AllowedQuery): Promise<void> {
    const answered = this.runs.audited(request, query, true);
    const gone = new AbortController();
    reply.raw.once('close', () => gone.abort(new ClientGoneError()));
    let release: (() => void) | undefined;
    try {
      this.checkRoom();
      const used = await this.use(query);
      const { result } = used;
      release = used.release;
      await result.ready(gone.signal);
      answered(200);
      if (request.raw.method !== 'HEAD') return this.serve(request, reply, query, result, release);
      release();
      reply.header('content-type', EVENT_STREAM).send();
    } catch (error) {
      release?.();
      answered(error);
      throw error;
    }
  }

  /** Ends the feeds, so that their connections do not keep the server. */
  beforeApplicationShutdown(): void {
    this.isDraining = true;
    for (const client of [...this.clients]) client.end();
  }

  private checkRoom(): void {
    if (this.isDraining) throw new EdgeError('server.draining');
    if (this.clients.size >= MAX_LIVE_CLIENTS) throw new EdgeError('server.overloaded', 'too many live queries');
  }

  private async use(query: AllowedQuery): Promise<{ result: LiveResult; release: () => void }> {
    const key = JSON.stringify([keyspaceKey(query.keyspace), query.statement, query.parameters ?? '{}']);
    const collections = await this.rights.collections(query.keyspace, query.statement);
    const result = this.results.get(key) ?? this.open(key, query, collections);
    return { result, release: result.acquire() };
  }

  private open(key: string, query: AllowedQuery, collections: readonly Keyspace[]): LiveResult {
    if (this.results.size >= MAX_LIVE_RESULTS) throw new EdgeError('server.overloaded', 'too many live queries');
    const interval = this.config.databases.get(query.keyspace.database)!.queryLimits.liveInterval;
    let held = 0;
    const hold = (characters: number): void => {
      this.heldCharacters += characters - held;
      held = characters;
    };
    const result = new LiveResult({
      run: async (signal) => {
        const text = await this.runOnce(query, signal);
        if (this.heldCharacters - held + text.length > MAX_HELD_LIVE_CHARACTERS)
          throw new EdgeError('server.overloaded', 'the results of live queries take too much memory');
        hold(text.length);
        return snapshot(text);
      },
      watch: (onChange) => this.watch(collections, interval, onChange),
      interval,
      retryAfter,
      now: () => performance.now(),
      onEnd: () => {
        hold(0);
        if (this.results.get(key) === result) this.results.delete(key);
      },
    });
    this.results.set(key, result);
    return result;
  }

  private async runOnce(query: AllowedQuery, signal: AbortSignal): Promise<string> {
    let text = '';
    for await (const piece of resultText(await this.runs.run(query, 'live', signal))) {
      text += piece;
      if (text.length > MAX_LIVE_CHARACTERS)
        throw new EdgeError('query.limit', `the result is too large for a live query: select less`);
    }
    return text;
  }

  /** Notifications may be lost, and documents expire without one: the collections are also looked at from time to time. */
  private watch(collections: readonly Keyspace[], interval: number, onChange: () => void): () => void {
    const unwatch = collections.map((keyspace) => this.storage.watch(keyspace, onChange));
    let before: string | undefined;
    const look = async (): Promise<void> => {
      try {
        const states = await Promise.all(collections.map((keyspace) => this.storage.collection(keyspace)));
        const now = states.map(stateOf).join();
        if (before !== undefined && before !== now) onChange();
        before = now;
      } catch {
        // Storage is away; it is asked again.
      }
    };
    void look();
    const timer = setInterval(() => void look(), interval * LIVE_CHECK_INTERVALS).unref();
    return () => {
      clearInterval(timer);
      for (const stop of unwatch) stop();
    };
  }

  private serve(
    request: GatewayRequest,
    reply: FastifyReply,
    query: AllowedQuery,
    result: LiveResult,
    release: () => void,
  ): void {
    const output = new FeedOutput(reply, EVENT_STREAM);
    const forget = this.show(request, query);
    this.metrics.queries.live.inc();
    const lastId = request.headers['last-event-id'];
    const client: LiveClient = new LiveClient(result, output, typeof lastId === 'string' ? lastId : undefined, () => {
      this.clients.delete(client);
      this.metrics.queries.live.dec();
      unwatch();
      forget();
      release();
    });
    this.clients.add(client);
    // A user who goes on is authenticated again, and asked for the rights that hold then.
    const unwatch = this.authenticator.watch(request.principal, () => client.end());
    client.start();
  }

  private show({ params, principal, raw }: GatewayRequest, { name }: AllowedQuery): () => void {
    const ks = params['keyspace'];
    const ip = raw.socket.remoteAddress;
    const describe = (): Record<string, unknown> => ({
      ks,
      ...(name !== undefined && { query: name }),
      ...(principal.name !== undefined && { user: principal.name }),
      ip,
    });
    return this.tasks.add({ id: this.tasks.nextId(), type: 'query', since: Date.now(), describe });
  }
}

function snapshot(text: string): LiveSnapshot {
  return { id: createHash('sha256').update(text).digest('base64url').slice(0, 22), text };
}

const stateOf = ({ lastSequence, documents }: CollectionInfo): string => `${lastSequence}/${documents}`;

/** Statements that storage has no room or time for now are run again; a final error ends the feed. */
function retryAfter(error: unknown, failures: number): number | undefined {
  if (!isEdgeError(error) || error.status !== 503) return undefined;
  return backOffMs(failures, { firstMs: LIVE_RETRY_MS, longestMs: LONGEST_LIVE_RETRY_MS });
}
