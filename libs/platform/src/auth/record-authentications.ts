import type { AuditLog } from '../audit/audit-log.js';
import type { Metrics } from '../metrics/metrics.js';
import type { AuthenticationObserver } from './observed-authenticator.js';

/** Enters authentications in the audit log and counts them. */
export function recordAuthentications(audit: AuditLog, { authentication }: Metrics): AuthenticationObserver {
  return {
    accepted(user, remote, cached) {
      (cached ? authentication.cached : authentication.verified).inc();
      audit.authenticated({ user, remote });
    },
    refused(user, remote, status) {
      authentication.refused(status).inc();
      audit.authenticationFailed({ user, remote }, status);
    },
  };
}
