export { GatewayModule, type GatewayModuleOptions } from './gateway.module.js';
export { createHttpAdapter, type HttpAdapterOptions } from './http/http-adapter.js';
export { PUBLIC_CHECKS, publicService, type ServerApplication, type ServerParts } from './public-service.js';
