import { Inject, Injectable, type CanActivate, type ExecutionContext } from '@nestjs/common';
import { hasRole } from '@edgesync/access';
import type { EdgeConfig } from '@edgesync/config';
import { EdgeError } from '@edgesync/errors';
import { EDGE_CONFIG } from '@edgesync/platform';
import type { GatewayRequest } from '../http/gateway-request.js';

/**
 * Lets administrators read metrics; and everybody where anonymous access is on and access control off, as with
 * replications and tasks (ref 4).
 */
@Injectable()
export class MetricsGuard implements CanActivate {
  private readonly open: boolean;

  constructor(@Inject(EDGE_CONFIG) config: EdgeConfig) {
    const controlled = [config, ...config.databases.values()].some((one) => one.enableUserAccessControl);
    this.open = config.enableAnonymousUsers && !controlled;
  }

  canActivate(context: ExecutionContext): true {
    const { principal } = context.getArgByIndex<GatewayRequest>(0);
    if (this.open || hasRole(principal, 'admin')) return true;
    throw new EdgeError('access.denied', 'metrics are for users with the role admin');
  }
}
