import type { IncomingMessage } from 'node:http';
import type { Socket } from 'node:net';
import { FastifyAdapter } from '@nestjs/platform-fastify';
import type { FastifyInstance, FastifyReply, FastifyRequest, FastifyServerOptions } from 'fastify';
import {
  HEADERS_TIMEOUT_MS,
  KEEP_ALIVE_TIMEOUT_MS,
  MAX_BODY_BYTES,
  MAX_CONNECTIONS,
  MAX_HEADER_BYTES,
  MAX_PATH_COMPONENT,
  REQUEST_TIMEOUT_MS,
  TIMEOUT_CHECK_MS,
} from '../tuning.js';
import { isSyncTarget, originForm, type ServerTls } from '@edgesync/platform';
import { AllowedMethods } from './allowed-methods.js';
import { answerBrokenRequest, answerBadUrl } from './broken-request.js';
import type { Cors } from './cors.js';
import { deferContinue } from './expect-continue.js';
import { closeConnectionsWhenIdle } from './graceful-close.js';
import { parseQueryString } from './query-string.js';
import { sendReply } from './reply.js';
import { asksForWebSocket } from './upgrade.js';

export interface HttpAdapterOptions {
  /** Certificate and key: the port speaks TLS only (docs/protocol/edge-server.md#tls). */
  readonly https?: ServerTls['options'] | undefined;
  /** Notified of every request in plain HTTP on a port that speaks TLS. */
  readonly onPlainHttp?: (address: string) => void;
  /** How long clients may take, in milliseconds. */
  readonly timeouts?: Partial<Timeouts>;
}

interface Timeouts {
  /** To send the headers of a request. */
  readonly headers: number;
  /** To send a whole request. */
  readonly request: number;
  /** Connections are looked at this often. */
  readonly check: number;
}

const TIMEOUTS: Timeouts = { headers: HEADERS_TIMEOUT_MS, request: REQUEST_TIMEOUT_MS, check: TIMEOUT_CHECK_MS };

/**
 * Fastify as the REST API needs it. Bodies are not parsed: handlers read them, after a request has been authenticated
 * and found allowed, and exactly as they were sent.
 */
export class GatewayHttpAdapter extends FastifyAdapter {
  /** Every route from here on. */
  readonly allowedMethods = new AllowedMethods();
  /** Set when pages of other origins may use the server. */
  cors?: Cors;

  get fastify(): FastifyInstance {
    return this.getInstance<FastifyInstance>();
  }

  override registerParserMiddleware(): void {
    this.fastify.removeAllContentTypeParsers();
    this.fastify.addContentTypeParser('*', (_request, _payload, done) => done(null));
  }

  /**
   * Sends what handlers return; those that send streams take the reply as an argument instead. Returns nothing: Nest would
   * wait for the reply, which resolves when it is out, at a cost.
   */
  override reply(response: unknown, result: unknown): never {
    sendReply(response as FastifyReply, result);
    return undefined as never;
  }

  /**
   * HEAD is GET without body on every endpoint (docs/protocol/rest.md#paths-and-methods): one route, one handler. Node
   * leaves the body out.
   */
  override get(...args: unknown[]): never {
    const adapter = this as unknown as { injectRouteOptions(methods: string[], ...args: unknown[]): never };
    return adapter.injectRouteOptions(['GET', 'HEAD'], ...args);
  }
}

/** Creates the adapter to hand to `NestFactory.create()`. */
export function createHttpAdapter(options: HttpAdapterOptions = {}): GatewayHttpAdapter {
  const timeouts = { ...TIMEOUTS, ...options.timeouts };
  const limits = { ...serverLimits, connectionsCheckingInterval: timeouts.check };
  const adapter: GatewayHttpAdapter = new GatewayHttpAdapter({
    ...serverOptions,
    requestTimeout: timeouts.request,
    clientErrorHandler: (error: NodeJS.ErrnoException, socket: Socket) =>
      answerBrokenRequest(error, socket, options.onPlainHttp),
    frameworkErrors: (error: { readonly code?: string }, request: FastifyRequest, reply: FastifyReply) => {
      adapter.cors?.mark(request.raw, reply.raw);
      answerBadUrl(error, reply);
    },
    ...(options.https ? { https: { ...options.https, ...limits } } : { http: limits }),
    // Nest middleware is not used; its engine would cost every request a detour.
    skipMiddie: true,
  } as never);
  adapter.allowedMethods.watch(adapter.fastify);
  const server = adapter.fastify.server;
  server.headersTimeout = timeouts.headers;
  server.maxConnections = MAX_CONNECTIONS;
  // Only upgrades that somebody serves leave the path of ordinary requests, where the others are refused.
  (server as { shouldUpgradeCallback?: (message: IncomingMessage) => boolean }).shouldUpgradeCallback = (message) =>
    asksForWebSocket(message) && isSyncTarget(message.url) && server.listenerCount('upgrade') > 0;
  deferContinue(server);
  closeConnectionsWhenIdle(adapter.fastify);
  return adapter;
}

const serverOptions: FastifyServerOptions = {
  bodyLimit: MAX_BODY_BYTES,
  keepAliveTimeout: KEEP_ALIVE_TIMEOUT_MS,
  exposeHeadRoutes: false,
  // Everything behind it, guards and logs included, sees one form of a path.
  rewriteUrl: ({ url = '/' }) => originForm(url),
  // What is in flight is finished, and its connection closed after it.
  return503OnClosing: false,
  forceCloseConnections: 'idle',
  routerOptions: {
    ignoreTrailingSlash: true,
    maxParamLength: MAX_PATH_COMPONENT,
    querystringParser: parseQueryString,
  },
};

/** A request without Host header is refused by the request checks, with a body. */
const serverLimits = { maxHeaderSize: MAX_HEADER_BYTES, requireHostHeader: false };
