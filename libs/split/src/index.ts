export { connectBus } from './connect-bus.js';
export { InternalController, ServiceReadiness } from './internal.controller.js';
export { runSplitService } from './run-split-service.js';
export type { NatsSettings, ServiceRole, ServiceSettings } from './service-settings.js';
