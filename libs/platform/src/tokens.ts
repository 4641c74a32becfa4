/** Names under which modules find what the launcher provides. */

/** {@link import('@edgesync/ports').Storage} */
export const STORAGE = Symbol('STORAGE');
/** {@link import('@edgesync/config').EdgeConfig} */
export const EDGE_CONFIG = Symbol('EDGE_CONFIG');
/** {@link import('@edgesync/auth').Authenticator} */
export const AUTHENTICATOR = Symbol('AUTHENTICATOR');
/** {@link import('@edgesync/logging').Loggers} */
export const LOGGERS = Symbol('LOGGERS');
/** {@link import('@edgesync/audit').AuditLog} */
export const AUDIT_LOG = Symbol('AUDIT_LOG');
/** {@link import('@edgesync/ports').ReplicationControl} */
export const REPLICATION_CONTROL = Symbol('REPLICATION_CONTROL');
/** {@link import('@edgesync/metrics').Metrics} */
export const METRICS = Symbol('METRICS');
/** {@link import('./tasks/active-tasks.js').ActiveTasks} */
export const ACTIVE_TASKS = Symbol('ACTIVE_TASKS');
