import { Controller, Get, Inject, Res, UseGuards } from '@nestjs/common';
import type { FastifyReply } from 'fastify';
import type { EdgeConfig } from '@edgesync/config';
import { EdgeError } from '@edgesync/errors';
import {
  ACTIVE_TASKS,
  EDGE_CONFIG,
  LOGGERS,
  METRICS,
  Readiness,
  STORAGE,
  type ActiveTasks,
  type Loggers,
  type Metrics,
} from '@edgesync/platform';
import type { Storage } from '@edgesync/ports';
import { sendJson } from '../http/reply.js';
import { Endpoint } from '../openapi/endpoint.decorator.js';
import { RoleGuard } from './role.guard.js';

/** Content type of Prometheus' text format. */
const METRICS_TYPE = 'text/plain; version=0.0.4; charset=utf-8';

/** What tells operators, their monitoring and their orchestrator how the server is. */
@Controller()
export class OperationsController {
  private readonly readiness: Readiness;

  constructor(
    @Inject(METRICS) private readonly metrics: Metrics,
    @Inject(ACTIVE_TASKS) private readonly tasks: ActiveTasks,
    @Inject(STORAGE) storage: Storage,
    @Inject(EDGE_CONFIG) config: EdgeConfig,
    @Inject(LOGGERS) loggers: Loggers,
  ) {
    this.readiness = new Readiness({ storage, databases: [...config.databases.keys()], log: loggers.domain('DB') });
  }

  @Get('_health')
  @Endpoint({
    tag: 'Operation',
    summary: 'Tell whether the process lives',
    description: 'Needs no credentials.',
    replies: { 200: { description: 'It does.', content: [{ schema: 'ServerState' }] } },
  })
  health(@Res() reply: FastifyReply): void {
    sendJson(reply, 200, '{"status":"ok"}');
  }

  @Get('_ready')
  @Endpoint({
    tag: 'Operation',
    summary: 'Tell whether requests can be served',
    description:
      'Every configured database is open and can be read. Needs no credentials, and does not tell which database is at ' +
      'fault: the log does. An answer holds for a second.',
    replies: { 200: { description: 'They can.', content: [{ schema: 'ServerState' }] } },
    errors: { 503: 'A database cannot be read.' },
  })
  async ready(@Res() reply: FastifyReply): Promise<void> {
    if (!(await this.readiness.check())) throw new EdgeError('server.not-ready');
    sendJson(reply, 200, '{"status":"ok"}');
  }

  @Get('_active_tasks')
  @UseGuards(RoleGuard('replicate'))
  @Endpoint({
    tag: 'Operation',
    summary: 'List what goes on',
    description:
      'Feeds that wait for changes, sync sessions of apps, and replications with other servers, oldest first. For users ' +
      'with the role admin or replicate; for everybody where anonymous users are let in and access control is off.',
    replies: { 200: { description: 'The tasks.', content: [{ schema: 'ActiveTasks' }] } },
    errors: { 403: 'The user has neither role.' },
  })
  async activeTasks(@Res() reply: FastifyReply): Promise<void> {
    reply.header('cache-control', 'no-store');
    sendJson(reply, 200, JSON.stringify(await this.tasks.listAll()));
  }

  @Get('_metrics')
  @UseGuards(RoleGuard('admin'))
  @Endpoint({
    tag: 'Operation',
    summary: 'Read the metrics',
    description: 'In the text format of Prometheus.',
    replies: { 200: { description: 'The metrics.', content: [{ text: true }] } },
    errors: { 403: 'The user has not the role admin.' },
  })
  read(@Res() reply: FastifyReply): void {
    reply.header('content-type', METRICS_TYPE).header('cache-control', 'no-store').send(this.metrics.render());
  }
}
