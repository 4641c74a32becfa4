import { systemScheduler } from '@edgesync/async';
import { type BeforeApplicationShutdown, Inject, Injectable } from '@nestjs/common';
import type { FastifyReply } from 'fastify';
import { Subscriptions } from '@edgesync/change-feed';
import type { Keyspace } from '@edgesync/document';
import { EdgeError } from '@edgesync/errors';
import {
  ACTIVE_TASKS,
  AUDIT_LOG,
  AUTHENTICATOR,
  METRICS,
  redact,
  STORAGE,
  type ActiveTasks,
  type AuditLog,
  type Authenticator,
  type Metrics,
} from '@edgesync/platform';
import type { Storage } from '@edgesync/ports';
import type { GatewayRequest } from '../http/gateway-request.js';
import { JSON_TYPE, lineEnd } from '../http/reply.js';
import { actorOf } from '../http/request-audit.js';
import { MAX_FEEDS, SHOWN_ARGS } from '../tuning.js';
import { openSource } from './feed-subscription.js';
import { FeedResponse } from './feed-response.js';
import type { FeedMode, FeedRequest } from './changes-parameters.js';
import { FeedOutput } from './feed-output.js';

const CONTENT_TYPES: Readonly<Record<FeedMode, string>> = {
  normal: JSON_TYPE,
  longpoll: JSON_TYPE,
  continuous: 'text/plain; charset=utf-8',
  sse: 'text/event-stream',
};

/** All feeds that clients read. */
@Injectable()
export class FeedResponses implements BeforeApplicationShutdown {
  private readonly sources: Subscriptions;
  /** Feeds that may wait for changes. */
  private readonly waiting = new Set<FeedResponse>();
  private isDraining = false;

  constructor(
    @Inject(STORAGE) private readonly storage: Storage,
    @Inject(ACTIVE_TASKS) private readonly tasks: ActiveTasks,
    @Inject(AUDIT_LOG) private readonly audit: AuditLog,
    @Inject(METRICS) private readonly metrics: Metrics,
    @Inject(AUTHENTICATOR) private readonly authenticator: Authenticator,
  ) {
    this.sources = new Subscriptions(storage, systemScheduler);
  }

  /**
   * Answers a request with a feed. Resolves when the feed has begun; it ends by itself.
   * @param args the parameters as a query string, to be shown
   * @throws EdgeError `server.*`, `storage.*`, `keyspace.unknown`
   */
  async begin(request: GatewayRequest, reply: FastifyReply, asked: FeedRequest, args: string): Promise<void> {
    const { keyspace } = request;
    const contentType = CONTENT_TYPES[asked.mode];
    if (asked.mode !== 'normal') this.checkRoom();
    const since = await this.findStart(keyspace, asked.since);
    if (request.raw.method === 'HEAD') return void reply.header('content-type', contentType).send();
    const source = openSource({ log: this.storage, feeds: this.sources, keyspace, since, request: asked });
    try {
      // Before the headers: an error that shows now becomes the status.
      const first = (await source.next())!;
      const output = new FeedOutput(reply, contentType);
      const feed = new FeedResponse(source, output, asked, since);
      const ended = this.watch(feed, request, asked, args);
      await this.audit.written();
      feed.run(first).then(
        (rest) => {
          // The audit event comes first: a client that has the end of the feed finds it in the log.
          ended();
          output.end(asked.mode === 'normal' || asked.mode === 'longpoll' ? rest + lineEnd(request) : rest);
        },
        (error: unknown) => {
          ended();
          reply.server.reportError(error, request);
          output.abort();
        },
      );
    } catch (error) {
      source.close();
      throw error;
    }
  }

  /** Ends the feeds that wait, so that their connections do not keep the server. */
  beforeApplicationShutdown(): void {
    this.isDraining = true;
    for (const feed of this.waiting) feed.stop();
  }

  private checkRoom(): void {
    if (this.isDraining) throw new EdgeError('server.draining');
    if (this.waiting.size >= MAX_FEEDS) throw new EdgeError('server.overloaded', 'too many feeds are open');
  }

  /** The sequence after which a feed begins. One beyond the end is the end: nothing that comes is missed. */
  private async findStart(keyspace: Keyspace, since: number | 'now'): Promise<number> {
    if (since === 0) return 0;
    const asked = since === 'now' ? Number.MAX_SAFE_INTEGER : since;
    const { lastSequence } = await this.storage.changes(keyspace, { since: asked, limit: 1, body: false });
    return Math.min(asked, lastSequence);
  }

  /** Shows a feed to operators. @returns to be called when it has ended */
  private watch(feed: FeedResponse, request: GatewayRequest, { mode }: FeedRequest, args: string): () => void {
    const { keyspace } = request;
    const actor = actorOf(request);
    const since = Date.now();
    const id = this.tasks.nextId();
    const open = this.metrics.feeds.open.with(mode);
    open.inc();
    this.audit.changesFeedStarted(actor, keyspace, { id, mode });
    const forget = mode === 'normal' ? undefined : this.show(feed, id, since, request, args);
    // A client that goes on is authenticated and authorised again.
    const unwatch = this.authenticator.watch(request.principal, () => feed.stop());
    return () => {
      unwatch();
      forget?.();
      open.dec();
      this.metrics.feeds.changes.with(mode).inc(feed.sent);
      const seconds = Math.max(0, Date.now() - since) / 1_000;
      this.audit.changesFeedEnded(actor, keyspace, { id, mode, changes: feed.sent, seconds });
    };
  }

  private show(
    feed: FeedResponse,
    id: number,
    since: number,
    { params, principal, raw }: GatewayRequest,
    args: string,
  ): () => void {
    const { name } = principal;
    const ks = params['keyspace'];
    const ip = raw.socket.remoteAddress;
    const shown = args.slice(0, SHOWN_ARGS);
    const describe = () => ({
      ks,
      args: redact(shown),
      ...(name !== undefined && { user: name }),
      ip,
    });
    this.waiting.add(feed);
    const forget = this.tasks.add({ id, type: 'changes', since, describe });
    return () => {
      this.waiting.delete(feed);
      forget();
    };
  }
}
