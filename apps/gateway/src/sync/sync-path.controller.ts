import { Controller, Get, Inject, Req, Res } from '@nestjs/common';
import type { FastifyReply } from 'fastify';
import { EdgeError } from '@edgesync/errors';
import type { GatewayRequest } from '../http/gateway-request.js';
import { asksForWebSocket } from '../http/upgrade.js';
import { Keyspaces } from '../keyspaces/keyspaces.js';
import { Endpoint } from '../openapi/endpoint.decorator.js';

/**
 * Requests at the path of sync that are no upgrades (docs/protocol/rest.md#sync). Upgrades leave the server before
 * there is a route, unless nobody takes them.
 */
@Controller()
export class SyncPathController {
  constructor(@Inject(Keyspaces) private readonly keyspaces: Keyspaces) {}

  @Get(':keyspace/_blipsync')
  @Endpoint({
    tag: 'Sync',
    summary: 'Open a sync connection',
    description:
      'For Couchbase Lite and other servers: a WebSocket with the sub-protocol `BLIP_3+CBMobile_4`, `BLIP_3+CBMobile_3` or `BLIP_3+CBMobile_2`. The path has the bare name of the database.',
    replies: { 101: { description: 'The connection speaks the replication protocol.' } },
    errors: {
      400: 'No sub-protocol is common, or the path names more than a database.',
      403: 'The database does not sync, or the user may read none of its collections.',
      404: 'No such database.',
      426: 'The request does not ask for a WebSocket.',
    },
  })
  getSyncConnection(@Req() request: GatewayRequest, @Res({ passthrough: true }) reply: FastifyReply): never {
    if (asksForWebSocket(request.raw)) throw new EdgeError('keyspace.unknown', 'nothing syncs here');
    this.keyspaces.database(request.params['keyspace']!, request.principal);
    reply.header('upgrade', 'websocket').header('connection', 'Upgrade');
    throw new EdgeError('request.upgrade-required');
  }
}
