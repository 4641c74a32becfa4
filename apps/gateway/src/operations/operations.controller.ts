import { Controller, Get, Header, Inject, UseGuards } from '@nestjs/common';
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
import { Endpoint } from '../openapi/endpoint.decorator.js';
import { RoleGuard } from './role.guard.js';

/** Content type of Prometheus' text format. */
const METRICS_TYPE = 'text/plain; version=0.0.4; charset=utf-8';

const OK = { status: 'ok' };

/** The state of the server, for operators, their monitoring and their orchestrator. */
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
    summary: 'Check whether the process lives',
    description: 'Needs no credentials.',
    replies: { 200: { description: 'It does.', content: ['ServerState'] } },
  })
  getHealth(): object {
    return OK;
  }

  @Get('_ready')
  @Endpoint({
    tag: 'Operation',
    summary: 'Check whether requests can be served',
    description:
      'Every configured database is open and can be read. Needs no credentials, and does not name a database that ' +
      'cannot: the log does. An answer holds for a second.',
    replies: { 200: { description: 'They can.', content: ['ServerState'] } },
    errors: { 503: 'A database cannot be read.' },
  })
  async getReadiness(): Promise<object> {
    if (!(await this.readiness.check())) throw new EdgeError('server.not-ready');
    return OK;
  }

  @Get('_active_tasks')
  @UseGuards(RoleGuard('replicate'))
  @Endpoint({
    tag: 'Operation',
    summary: 'List the active tasks',
    description:
      'Feeds that wait for changes, live queries, indexes that are being built, sync sessions of apps, and replications ' +
      'with other servers, oldest first. For users ' +
      'with the role admin or replicate; for everybody where anonymous users are let in and access control is off.',
    replies: { 200: { description: 'The tasks.', content: ['ActiveTasks'] } },
    errors: { 403: 'The user has neither role.' },
  })
  @Header('cache-control', 'no-store')
  getActiveTasks(): Promise<object> {
    return this.tasks.listAll();
  }

  @Get('_metrics')
  @UseGuards(RoleGuard('admin'))
  @Endpoint({
    tag: 'Operation',
    summary: 'Read the metrics',
    description: 'In the text format of Prometheus.',
    replies: { 200: { description: 'The metrics.', content: ['text'] } },
    errors: { 403: 'The user does not have the role admin.' },
  })
  @Header('content-type', METRICS_TYPE)
  @Header('cache-control', 'no-store')
  getMetrics(): string {
    return this.metrics.render();
  }
}
