export { connectBus } from './connect-bus.js';
export { InternalController, ServiceReadiness } from './internal.controller.js';
export { runSplitService } from './run-split-service.js';
export { readServiceSettings, type NatsSettings, type ServiceRole, type ServiceSettings } from './service-settings.js';
