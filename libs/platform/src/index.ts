// The parts below have libraries of their own; until every import names these, they are found here too.
export * from '@edgesync/audit';
export * from '@edgesync/auth';
export * from '@edgesync/config-files';
export * from '@edgesync/logging';
export * from '@edgesync/metrics';
export * from '@edgesync/tls';

export { Readiness, type ReadinessOptions } from './health/readiness.js';
export { abortOnSignal } from './launch/abort-on-signal.js';
export { CoreModule, type CoreOptions, type CoreParts } from './launch/core.module.js';
export { openObservers, type Observers } from './launch/open-observers.js';
export { runUntilSignal, type Stoppable } from './launch/run-until-signal.js';
export {
  startService,
  type Application,
  type Launch,
  type LaunchOptions,
  type RunningServer,
  type Service,
} from './launch/start-service.js';
export { COMPATIBLE_VERSION, SERVER_HEADER, SERVER_INFO, VERSION } from './product.js';
export { recordAuthentications } from './record-authentications.js';
export { closingReply, errorReply, type ErrorReply } from './replies/error-reply.js';
export { statusText } from './replies/status-texts.js';
export { ActiveTasks, SPLIT_TASKS_FROM, type ActiveTask, type ShownTask } from './tasks/active-tasks.js';
export * from './tokens.js';
export { refuseUpgrade } from './upgrades/refuse-upgrade.js';
export { databaseOfSyncTarget, isSyncTarget, originForm, requestedHost } from './upgrades/request-target.js';
