import {
  applyDecorators,
  Inject,
  Injectable,
  UseGuards,
  type CanActivate,
  type ExecutionContext,
} from '@nestjs/common';
import { EdgeError } from '@edgesync/errors';
import type { GatewayRequest } from '../http/gateway-request.js';
import { Keyspaces } from './keyspaces.js';

/** Lets a request through that may read its keyspace, which exists. */
@Injectable()
export class ReadKeyspaceGuard implements CanActivate {
  constructor(@Inject(Keyspaces) private readonly keyspaces: Keyspaces) {}

  canActivate(context: ExecutionContext): true | Promise<true> {
    const request = context.getArgByIndex<GatewayRequest>(0);
    const { keyspace } = this.keyspaces.collection(request.params['keyspace']!, request.principal, 'read');
    request.keyspace = keyspace;
    return this.keyspaces.check(keyspace);
  }
}

/** Lets a request through that may write its keyspace, which exists, in a database that takes writes over REST. */
@Injectable()
export class WriteKeyspaceGuard implements CanActivate {
  constructor(@Inject(Keyspaces) private readonly keyspaces: Keyspaces) {}

  canActivate(context: ExecutionContext): true | Promise<true> {
    const request = context.getArgByIndex<GatewayRequest>(0);
    const { keyspace, database } = this.keyspaces.collection(request.params['keyspace']!, request.principal, 'write');
    if (!database.enableClientWrites) throw new EdgeError('writes.disabled');
    request.keyspace = keyspace;
    return this.keyspaces.check(keyspace);
  }
}

/** Marks an endpoint that needs the right to read its keyspace. */
export const ReadsKeyspace = (): MethodDecorator => applyDecorators(UseGuards(ReadKeyspaceGuard));

/** Marks an endpoint that needs the right to write its keyspace. */
export const WritesKeyspace = (): MethodDecorator => applyDecorators(UseGuards(WriteKeyspaceGuard));
