export { AUDIT_EVENTS, type AuditEventName, type AuditEventType } from './audit/audit-events.js';
export { AuditLog, type AuditActor, type AuditLogOptions } from './audit/audit-log.js';
export { openAuditLog, type OpenAuditLog } from './audit/open-audit-log.js';
export { accessPolicyOf } from './auth/access-policy-of.js';
export { authenticateRequest } from './auth/authenticate-request.js';
export { Authenticator, type AuthenticatorOptions } from './auth/authenticator.js';
export { createAuthenticator } from './auth/create-authenticator.js';
export { hashPassword, MAX_PASSWORD_BYTES, verifyPassword } from './auth/password-hash.js';
export { ObservedAuthenticator, type AuthenticationObserver } from './auth/observed-authenticator.js';
export { recordAuthentications } from './auth/record-authentications.js';
export { watchUsers } from './auth/watch-users.js';
export { ConfigError } from './files/config-error.js';
export { loadConfig, loadUsers, type Loaded } from './files/load-config.js';
export { watchFiles, type FileWatch, type WatchOptions } from './files/watch-files.js';
export { Readiness, type ReadinessOptions } from './health/readiness.js';
export { createLoggers } from './logging/create-loggers.js';
export { DescriptorOutput } from './logging/descriptor-output.js';
export { type LogOutput } from './logging/line-queue.js';
export { LogFiles, type LogFilesOptions } from './logging/log-files.js';
export { redact } from './logging/redact.js';
export { Logger, Loggers, type LogDomain, type LoggersOptions, type RequestRecord } from './logging/loggers.js';
export { NestLogger } from './logging/nest-logger.js';
export { Metrics } from './metrics/metrics.js';
export { Counter, Family, Gauge, Histogram, MetricsRegistry, type Collected } from './metrics/metrics-registry.js';
export { openObservers, type Observers } from './open-observers.js';
export { abortOnSignal } from './process/abort-on-signal.js';
export { runUntilSignal, type Stoppable } from './process/run-until-signal.js';
export { COMPATIBLE_VERSION, SERVER_HEADER, SERVER_INFO, VERSION } from './product.js';
export { HANDSHAKE_HEADER, HandshakeVerifier, newSession, signHandshake, type Handshake } from './split/handshake.js';
export { errorBody, NO_CACHE_HEADERS } from './replies/error-body.js';
export { statusText } from './replies/status-texts.js';
export { REPLICATION_SEAL, Sealer } from './split/sealer.js';
export { InternalController, ServiceReadiness } from './split/internal.controller.js';
export {
  readServiceSettings,
  type NatsSettings,
  type ServiceRole,
  type ServiceSettings,
} from './split/service-settings.js';
export { ActiveTasks, SPLIT_TASKS_FROM, type ActiveTask, type ShownTask } from './tasks/active-tasks.js';
export { certifiedName } from './tls/client-certificate.js';
export { certificateBlocks, isPem } from './tls/pem.js';
export { parsePrivateKey } from './tls/private-key.js';
export { openServerTls, type OpenServerTls } from './tls/open-server-tls.js';
export type { ServerTls } from './tls/server-tls.js';
export * from './tokens.js';
export { refuseUpgrade } from './upgrades/refuse-upgrade.js';
export { databaseOfSyncTarget, isSyncTarget, originForm, requestedHost } from './upgrades/request-target.js';
