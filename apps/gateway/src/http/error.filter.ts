import { randomUUID } from 'node:crypto';
import { Catch, HttpException, Inject, type ArgumentsHost, type ExceptionFilter } from '@nestjs/common';
import { HttpAdapterHost } from '@nestjs/core';
import type { FastifyReply, FastifyRequest } from 'fastify';
import { EdgeError, explain, isEdgeError, type ErrorCode } from '@edgesync/errors';
import { LOGGERS, originForm, type Logger, type Loggers } from '@edgesync/platform';
import type { GatewayHttpAdapter } from './http-adapter.js';
import { sendError } from './reply.js';
import { ClientGoneError, discardBody } from './request-body.js';

/**
 * Answers requests that failed: the error catalogue gives the status, the error its reason. An error that is not in the
 * catalogue is logged under a reference, and the client learns only the reference.
 */
@Catch()
export class ErrorFilter implements ExceptionFilter {
  private readonly logger: Logger;

  constructor(
    @Inject(HttpAdapterHost) private readonly host: HttpAdapterHost<GatewayHttpAdapter>,
    @Inject(LOGGERS) loggers: Loggers,
  ) {
    this.logger = loggers.domain('REST');
  }

  catch(error: unknown, host: ArgumentsHost): void {
    const http = host.switchToHttp();
    this.answer(error, http.getRequest<FastifyRequest>(), http.getResponse<FastifyReply>());
  }

  /** Answers a request with an error. */
  answer(error: unknown, request: FastifyRequest, reply: FastifyReply): void {
    if (error instanceof ClientGoneError || request.raw.socket.destroyed) {
      reply.hijack();
      request.raw.destroy();
      return;
    }
    if (reply.sent || reply.raw.headersSent) {
      this.report(error, request);
      reply.raw.destroy();
      return;
    }
    discardBody(request.raw);
    sendError(reply, this.toEdgeError(error, request, reply));
  }

  private toEdgeError(error: unknown, request: FastifyRequest, reply: FastifyReply): EdgeError {
    if (isUnrouted(error, request)) return this.unrouted(request, reply);
    if (isEdgeError(error)) {
      if (error.status >= 500 && !STATES.has(error.code)) this.report(error, request);
      return error;
    }
    const code = FOREIGN_STATUS[statusOf(error) ?? 500];
    if (code) return new EdgeError(code);
    const reference = this.report(error, request);
    return new EdgeError('internal', `internal error, reference ${reference}`);
  }

  private unrouted(request: FastifyRequest, reply: FastifyReply): EdgeError {
    const allowed = this.host.httpAdapter.allowedMethods.of(request.raw.url ?? '/');
    if (allowed.length === 0) return new EdgeError('request.path');
    reply.header('allow', allowed.join(', '));
    return new EdgeError('request.method', isDatabaseChange(request) ? DATABASES_ARE_CONFIGURED : undefined);
  }

  /** Logs why a request failed. @returns the reference under which an unexpected error is logged */
  report(error: unknown, { method, url }: FastifyRequest): string {
    const reference = randomUUID();
    if (isEdgeError(error) && error.isExpected) this.logger.warning(`${method} ${url} failed: ${explain(error)}`);
    else this.logger.error(`${method} ${url} failed, reference ${reference}`, error);
    return reference;
  }
}

const DATABASES_ARE_CONFIGURED =
  'databases and collections come from the configuration file: they are not created or deleted over REST';

/** Whether the request is what creates or deletes a database elsewhere. */
function isDatabaseChange({ raw: { method, url } }: FastifyRequest): boolean {
  return (method === 'PUT' || method === 'DELETE') && /^\/[^_/?#][^/?#]*\/?(?:[?#]|$)/.test(originForm(url ?? ''));
}

/** States of the server, which its own log reports: not failures of requests. */
const STATES: ReadonlySet<ErrorCode> = new Set(['server.draining', 'server.not-ready', 'server.overloaded']);

/** Whether no handler takes the path: the router found none, or one that took an endpoint's name for a document's. */
function isUnrouted(error: unknown, { is404 }: FastifyRequest): boolean {
  return isEdgeError(error, 'request.path') || (is404 && error instanceof HttpException && error.getStatus() === 404);
}

/** Errors of Fastify and Nest, by the status they give them. */
const FOREIGN_STATUS: Readonly<Record<number, ErrorCode>> = {
  400: 'request.invalid',
  404: 'request.path',
  405: 'request.method',
  406: 'request.not-acceptable',
  413: 'request.too-large',
  414: 'request.invalid',
  415: 'request.media-type',
  503: 'server.draining',
};

function statusOf(error: unknown): number | undefined {
  if (error instanceof HttpException) return error.getStatus();
  const status = (error as { statusCode?: unknown } | undefined)?.statusCode;
  return typeof status === 'number' ? status : undefined;
}
