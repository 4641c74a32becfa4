import {
  Controller,
  Delete,
  Get,
  Header,
  HttpCode,
  Inject,
  Optional,
  Param,
  Post,
  Req,
  UseGuards,
} from '@nestjs/common';
import { readReplicationRequest, type EdgeConfig } from '@edgesync/config';
import { EdgeError } from '@edgesync/errors';
import { EDGE_CONFIG, REPLICATION_CONTROL } from '@edgesync/platform';
import type { ReplicationControl } from '@edgesync/ports';
import type { GatewayRequest } from '../http/gateway-request.js';
import { readJsonText } from '../http/request-body.js';
import { Endpoint } from '../openapi/endpoint.decorator.js';
import { RoleGuard } from '../operations/role.guard.js';
import { parseJson } from '../parameters/read-parameters.js';

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
  @HttpCode(202)
  @Endpoint({
    tag: 'Replications',
    summary: 'Start a replication with another server',
    description: `Whether the other server can be reached shows later in the status. ${WHO}`,
    body: ['Replication'],
    replies: { 202: { description: 'It is started.', content: ['ReplicationStarted'] } },
    errors: {
      ...ERRORS,
      400: 'A parameter is missing, unknown or wrong.',
      404: 'There is no such local database.',
      409: 'A replication of the same databases and collections runs already.',
    },
  })
  async startReplication(@Req() request: GatewayRequest): Promise<object> {
    const definition = readReplicationRequest(parseJson(await readJsonText(request)), this.databases);
    const id = await presentOf(this.control).start(definition);
    return { ok: true, task_id: id, session_id: id };
  }

  @Get('_replicate')
  @Endpoint({
    tag: 'Replications',
    summary: 'List the replications with other servers',
    description: `Those of the configuration file too, oldest first. Those that have ended too, until they are deleted. ${WHO}`,
    replies: { 200: { description: 'Their statuses.', content: ['Replications'] } },
    errors: ERRORS,
  })
  @Header('cache-control', 'no-store')
  getReplications(): Promise<object> {
    return presentOf(this.control).list();
  }

  @Get('_replicate/:task')
  @Endpoint({
    tag: 'Replications',
    summary: 'Read the status of a replication',
    description: WHO,
    replies: { 200: { description: 'Its status.', content: ['ReplicationStatus'] } },
    errors: { ...ERRORS, 400: 'The task ID is not a number.', 404: 'There is no such replication.' },
  })
  @Header('cache-control', 'no-store')
  async getReplication(@Param('task') task: string): Promise<object> {
    const status = await presentOf(this.control).status(taskId(task));
    if (!status) throw new EdgeError('replication.missing');
    return status;
  }

  @Delete('_replicate/:task')
  @Endpoint({
    tag: 'Replications',
    summary: 'Stop or remove a replication',
    description: `One that runs saves how far it came, stops, and leaves the list ten seconds later. One that has ended leaves it at once. ${WHO}`,
    replies: { 200: { description: 'It is stopping, or removed.', content: ['Ok'] } },
    errors: { ...ERRORS, 400: 'The task ID is not a number.', 404: 'There is no such replication.' },
  })
  async stopReplication(@Param('task') task: string): Promise<object> {
    if (!(await presentOf(this.control).delete(taskId(task)))) throw new EdgeError('replication.missing');
    return { ok: true };
  }
}

/** @throws EdgeError `request.unsupported` where nothing replicates with other servers */
function presentOf(control: ReplicationControl | undefined): ReplicationControl {
  if (!control) throw new EdgeError('request.unsupported', 'this deployment does not replicate with other servers');
  return control;
}

/** @throws EdgeError `request.invalid` */
function taskId(text: string): number {
  if (!/^\d{1,15}$/.test(text)) throw new EdgeError('request.invalid', 'the task ID must be a number');
  return Number(text);
}
