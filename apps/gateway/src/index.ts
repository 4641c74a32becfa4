export { GatewayModule, type GatewayModuleOptions } from './gateway.module.js';
export { createHttpAdapter, GatewayHttpAdapter, type HttpAdapterOptions } from './http/http-adapter.js';
