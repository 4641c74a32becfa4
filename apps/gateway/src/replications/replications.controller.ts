import { Controller, Delete, Get, Inject, Optional, Param, Post, Req, Res, UseGuards } from '@nestjs/common';
import type { FastifyReply } from 'fastify';
import { readReplicationRequest, type EdgeConfig } from '@edgesync/config';
import { EdgeError } from '@edgesync/errors';
import { EDGE_CONFIG, REPLICATION_CONTROL } from '@edgesync/platform';
import type { ReplicationControl } from '@edgesync/ports';
import type { GatewayRequest } from '../http/gateway-request.js';
import { sendJson } from '../http/reply.js';
import { readJsonText } from '../http/request-body.js';
import { Endpoint } from '../openapi/endpoint.decorator.js';
import { RoleGuard } from '../operations/role.guard.js';

const WHO =
  'For users with the role admin or replicate; for everybody where anonymous users are let in and access control is off.';
const ERRORS = { 403: 'The user has neither role.', 501: 'This deployment does not replicate with other servers.' };

/** Replications with other servers (docs/protocol/rest.md#replications). */
@Controller()
@UseGuards(RoleGuard('replicate'))
export class ReplicationsController {
  private readonly databases: EdgeConfig['databases'];

  constructor(
    @Inject(EDGE_CONFIG) config: EdgeConfig,
    @Optional() @Inject(REPLICATION_CONTROL) private readonly control: ReplicationControl | undefined,
  ) {
    this.databases = config.databases;
  }

  @Post('_replicate')
  @Endpoint({
    tag: 'Replications',
    summary: 'Start a replication with another server',
    description: `Whether the other server can be reached shows later in the status. ${WHO}`,
    body: [{ schema: 'Replication' }],
    replies: { 202: { description: 'It is started.', content: [{ schema: 'ReplicationStarted' }] } },
    errors: {
      ...ERRORS,
      400: 'A parameter is missing, unknown or wrong.',
      404: 'There is no such local database.',
      409: 'A replication of the same databases and collections runs already.',
      413: 'The body is larger than 20 MB.',
      415: 'The content type is not JSON, or the body has a Content-Encoding.',
    },
  })
  async start(@Req() request: GatewayRequest, @Res() reply: FastifyReply): Promise<void> {
    const definition = readReplicationRequest(parse(await readJsonText(request)), this.databases);
    const id = await presentOf(this.control).start(definition);
    sendJson(reply, 202, JSON.stringify({ ok: true, task_id: id, session_id: id }));
  }

  @Get('_replicate')
  @Endpoint({
    tag: 'Replications',
    summary: 'List the replications with other servers',
    description: `Those of the configuration file too, oldest first. Those that have ended too, until they are deleted. ${WHO}`,
    replies: { 200: { description: 'Their statuses.', content: [{ schema: 'Replications' }] } },
    errors: ERRORS,
  })
  async list(@Res() reply: FastifyReply): Promise<void> {
    send(reply, await presentOf(this.control).list());
  }

  @Get('_replicate/:task')
  @Endpoint({
    tag: 'Replications',
    summary: 'Read the status of a replication',
    description: WHO,
    replies: { 200: { description: 'Its status.', content: [{ schema: 'ReplicationStatus' }] } },
    errors: { ...ERRORS, 400: 'The task ID is not a number.', 404: 'There is no such replication.' },
  })
  async status(@Param('task') task: string, @Res() reply: FastifyReply): Promise<void> {
    const status = await presentOf(this.control).status(taskId(task));
    if (!status) throw new EdgeError('replication.missing');
    send(reply, status);
  }

  @Delete('_replicate/:task')
  @Endpoint({
    tag: 'Replications',
    summary: 'Stop or remove a replication',
    description: `One that runs saves how far it came, stops, and leaves the list ten seconds later. One that has ended leaves it at once. ${WHO}`,
    replies: { 200: { description: 'It is stopping, or removed.', content: [{ schema: 'Ok' }] } },
    errors: { ...ERRORS, 400: 'The task ID is not a number.', 404: 'There is no such replication.' },
  })
  async stop(@Param('task') task: string, @Res() reply: FastifyReply): Promise<void> {
    if (!(await presentOf(this.control).delete(taskId(task)))) throw new EdgeError('replication.missing');
    sendJson(reply, 200, '{"ok":true}');
  }
}

/** @throws EdgeError `request.unsupported` where nothing replicates with other servers */
function presentOf(control: ReplicationControl | undefined): ReplicationControl {
  if (!control) throw new EdgeError('request.unsupported', 'this deployment does not replicate with other servers');
  return control;
}

function send(reply: FastifyReply, value: unknown): void {
  reply.header('cache-control', 'no-store');
  sendJson(reply, 200, JSON.stringify(value));
}

/** @throws EdgeError `request.json` */
function parse(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    throw new EdgeError('request.json');
  }
}

/** @throws EdgeError `request.invalid` */
function taskId(text: string): number {
  if (!/^\d{1,15}$/.test(text)) throw new EdgeError('request.invalid', 'the task ID must be a number');
  return Number(text);
}
