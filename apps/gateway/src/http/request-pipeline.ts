import { Inject, Injectable, type OnModuleInit } from '@nestjs/common';
import { HttpAdapterHost } from '@nestjs/core';
import type { FastifyReply, FastifyRequest } from 'fastify';
import { ANONYMOUS } from '@edgesync/access';
import {
  AUDIT_LOG,
  authenticateRequest,
  AUTHENTICATOR,
  EDGE_CONFIG,
  LOGGERS,
  METRICS,
  SERVER_HEADER,
  type AuditLog,
  type Authenticator,
  type Loggers,
  type Metrics,
} from '@edgesync/platform';
import type { EdgeConfig } from '@edgesync/config';
import { isOpenPath } from '../operations/open-paths.js';
import { Cors } from './cors.js';
import { ErrorFilter } from './error.filter.js';
import type { GatewayRequest } from './gateway-request.js';
import type { GatewayHttpAdapter } from './http-adapter.js';
import { PipelineOrder } from './pipelining.js';
import { NO_SNIFFING } from './reply.js';
import { checkRequest, hasKnownFraming } from './request-checks.js';
import { observeRequests } from './request-observer.js';
import { asksForWebSocket } from './upgrade.js';

/**
 * Steps of every request before its route, known or not: the `Server` header, CORS, authentication, the checks of
 * docs/protocol/rest.md#conventions. Guards decide afterwards what a request may do; they know what its route means.
 */
@Injectable()
export class RequestPipeline implements OnModuleInit {
  constructor(
    @Inject(HttpAdapterHost) private readonly host: HttpAdapterHost<GatewayHttpAdapter>,
    @Inject(AUTHENTICATOR) private readonly authenticator: Authenticator,
    @Inject(ErrorFilter) private readonly errors: ErrorFilter,
    @Inject(LOGGERS) private readonly loggers: Loggers,
    @Inject(AUDIT_LOG) private readonly audit: AuditLog,
    @Inject(METRICS) private readonly metrics: Metrics,
    @Inject(EDGE_CONFIG) private readonly config: EdgeConfig,
  ) {}

  onModuleInit(): void {
    const fastify = this.host.httpAdapter.fastify;
    fastify.decorateRequest('principal', null);
    fastify.decorateRequest('keyspace', null);
    fastify.decorate(
      'reportError',
      (error: unknown, request: FastifyRequest) => void this.errors.report(error, request),
    );
    observeRequests(fastify, { log: this.loggers.domain('REST'), audit: this.audit, metrics: this.metrics });
    if (this.config.cors) this.serveOtherOrigins(new Cors(this.config.cors));
    const order = new PipelineOrder();
    fastify.addHook('onRequest', (_request, reply, done) => order.take(reply.raw, done));
    fastify.addHook('onRequest', (request, reply, done) => this.admit(request as GatewayRequest, reply, done));
  }

  /** Browsers send no credentials with a preflight, so it is answered before they are asked for. */
  private serveOtherOrigins(cors: Cors): void {
    const adapter = this.host.httpAdapter;
    adapter.cors = cors;
    adapter.fastify.addHook('onRequest', ({ raw: request }, reply, done) => {
      cors.mark(request, reply.raw);
      if (request.method !== 'OPTIONS') return done();
      reply.hijack();
      reply.raw.setHeader('server', SERVER_HEADER);
      cors.answerPreflight(request, reply.raw);
    });
  }

  private admit(request: GatewayRequest, reply: FastifyReply, done: () => void): void {
    reply.header('server', SERVER_HEADER).header(...NO_SNIFFING);
    const { raw } = request;
    // An empty type says nothing, and Fastify would not let it through.
    if (raw.headers['content-type'] === '') delete raw.headers['content-type'];
    // Node forgets what came in one packet behind an upgrade that nobody serves; better nothing comes behind it at all.
    if ((raw.headers.upgrade !== undefined && asksForWebSocket(raw)) || !hasKnownFraming(raw))
      reply.header('connection', 'close');
    const refuse = (error: unknown): void => this.errors.answer(error, request, reply);
    const goOn = (principal: GatewayRequest['principal']): void => {
      request.principal = principal;
      checkRequest(request);
      done();
    };
    try {
      if (isOpenPath(request.raw.url!)) return goOn(ANONYMOUS);
      const principal = authenticateRequest(this.authenticator, request.raw);
      if (principal instanceof Promise) principal.then(goOn).catch(refuse);
      else goOn(principal);
    } catch (error) {
      refuse(error);
    }
  }
}
