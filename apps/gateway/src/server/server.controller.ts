import { Controller, Get, Inject, Req, Res } from '@nestjs/common';
import type { FastifyReply } from 'fastify';
import { AccessPolicy } from '@edgesync/access';
import { SERVER_INFO, STORAGE, VERSION } from '@edgesync/platform';
import type { Storage } from '@edgesync/ports';
import type { GatewayRequest } from '../http/gateway-request.js';
import { sendJson } from '../http/reply.js';
import { RequestAudit } from '../http/request-audit.js';
import { Endpoint } from '../openapi/endpoint.decorator.js';

const INFO = JSON.stringify({ ...SERVER_INFO, edgesync: { version: VERSION } });

/** The server itself (docs/protocol/rest.md#server-information, docs/protocol/rest.md#list-of-databases). */
@Controller()
export class ServerController {
  constructor(
    @Inject(STORAGE) private readonly storage: Storage,
    @Inject(RequestAudit) private readonly audit: RequestAudit,
    @Inject(AccessPolicy) private readonly access: AccessPolicy,
  ) {}

  @Get()
  @Endpoint({
    tag: 'Server',
    summary: 'Describe the server',
    replies: { 200: { description: 'Product and version.', content: [{ schema: 'ServerInfo' }] } },
  })
  info(@Res() reply: FastifyReply): void {
    sendJson(reply, 200, INFO);
  }

  @Get('_all_dbs')
  @Endpoint({
    tag: 'Server',
    summary: 'List the databases',
    description: 'Those in which the user has some right.',
    replies: { 200: { description: 'Names, sorted.', content: [{ schema: 'DatabaseNames' }] } },
  })
  async databases(@Req() request: GatewayRequest, @Res() reply: FastifyReply): Promise<void> {
    const all = await this.storage.databases();
    const names = all.filter((name) => this.access.maySeeDatabase(request.principal, name));
    this.audit.databasesRead(request);
    sendJson(reply, 200, JSON.stringify(names));
  }
}
