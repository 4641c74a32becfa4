import { Controller, Get, Inject, Req } from '@nestjs/common';
import { AccessPolicy } from '@edgesync/access';
import { SERVER_INFO, STORAGE, VERSION } from '@edgesync/platform';
import type { Storage } from '@edgesync/ports';
import type { GatewayRequest } from '../http/gateway-request.js';
import { RequestAudit } from '../http/request-audit.js';
import { Endpoint } from '../openapi/endpoint.decorator.js';

const INFO = JSON.stringify({ ...SERVER_INFO, edgesync: { version: VERSION } });

/** The server itself (docs/protocol/rest.md#server-information). */
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
    replies: { 200: { description: 'Product and version.', content: ['ServerInfo'] } },
  })
  getServer(): string {
    return INFO;
  }

  @Get('_all_dbs')
  @Endpoint({
    tag: 'Server',
    summary: 'List the databases',
    description: 'Those in which the user has some right.',
    replies: { 200: { description: 'Names, sorted.', content: ['DatabaseNames'] } },
  })
  async getDatabases(@Req() request: GatewayRequest): Promise<string[]> {
    const all = await this.storage.databases();
    const names = all.filter((name) => this.access.maySeeDatabase(request.principal, name));
    this.audit.databasesRead(request);
    return names;
  }
}
