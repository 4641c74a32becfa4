export { AUDIT_EVENTS, type AuditEventName, type AuditEventType } from './audit-events.js';
export { AuditLog, type AuditActor, type AuditLogOptions, type AuditOutput } from './audit-log.js';
export { openAuditLog, type OpenAuditLog } from './open-audit-log.js';
