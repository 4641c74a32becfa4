import type { AuditLog } from '@edgesync/audit';
import type { Metrics } from '@edgesync/metrics';
import type { AuthenticationObserver } from '@edgesync/auth';

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
