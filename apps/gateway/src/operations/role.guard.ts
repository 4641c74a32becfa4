import { Inject, Injectable, mixin, type CanActivate, type ExecutionContext, type Type } from '@nestjs/common';
import { AccessPolicy, hasRole, type Role } from '@edgesync/access';
import type { EdgeConfig } from '@edgesync/config';
import { EdgeError } from '@edgesync/errors';
import { EDGE_CONFIG } from '@edgesync/platform';
import type { GatewayRequest } from '../http/gateway-request.js';

/**
 * Lets those pass who have a role; and everybody where anonymous access is on and access control off
 * (docs/protocol/edge-server.md#authentication, docs/protocol/edge-server.md#roles).
 * @param role `admin` has every other one too
 */
export function RoleGuard(role: Role): Type<CanActivate> {
  @Injectable()
  class Guard implements CanActivate {
    private readonly open: boolean;

    constructor(@Inject(EDGE_CONFIG) config: EdgeConfig, @Inject(AccessPolicy) access: AccessPolicy) {
      this.open = config.enableAnonymousUsers && !access.enforcedSomewhere;
    }

    canActivate(context: ExecutionContext): true {
      const { principal } = context.getArgByIndex<GatewayRequest>(0);
      if (this.open || hasRole(principal, role)) return true;
      throw new EdgeError('access.denied', `this is for users with the role ${role}`);
    }
  }
  return mixin(Guard);
}
