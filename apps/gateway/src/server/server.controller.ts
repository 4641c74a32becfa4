import { Controller, Get, Inject, Req } from '@nestjs/common';
import { AccessPolicy } from '@edgesync/access';
import { SERVER_INFO, STORAGE, VERSION } from '@edgesync/platform';
import type { Storage } from '@edgesync/ports';
import type { GatewayRequest } from '../http/gateway-request.js';
import { Reply } from '../http/reply.js';
import { RequestAudit } from '../http/request-audit.js';
import { Endpoint } from '../openapi/endpoint.decorator.js';
import { serverPage } from './server-page.js';

const PAGE_HEADERS = {
  'content-type': 'text/html; charset=utf-8',
  'content-security-policy': "default-src 'none'; style-src 'unsafe-inline'; frame-ancestors 'none'",
  'cache-control': 'no-store',
};

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
    description: 'A browser, which accepts `text/html`, gets a page with links.',
    replies: { 200: { description: 'Product and version.', content: ['ServerInfo', 'html'] } },
  })
  async getServer(@Req() request: GatewayRequest): Promise<string | Reply> {
    if (!request.headers.accept?.includes('text/html')) return INFO;
    const page = serverPage(await this.visibleDatabases(request));
    return new Reply(() => page, { headers: PAGE_HEADERS });
  }

  @Get('_all_dbs')
  @Endpoint({
    tag: 'Server',
    summary: 'List the databases',
    description: 'Those in which the user has some right.',
    replies: { 200: { description: 'Names, sorted.', content: ['DatabaseNames'] } },
  })
  async getDatabases(@Req() request: GatewayRequest): Promise<string[]> {
    const names = await this.visibleDatabases(request);
    this.audit.databasesRead(request);
    return names;
  }

  private async visibleDatabases({ principal }: GatewayRequest): Promise<string[]> {
    const all = await this.storage.databases();
    return all.filter((name) => this.access.maySeeDatabase(principal, name));
  }
}
