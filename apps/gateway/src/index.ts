export { GatewayModule, type GatewayModuleOptions } from './gateway.module.js';
export { createHttpAdapter, GatewayHttpAdapter, type HttpAdapterOptions } from './http/http-adapter.js';
export {
  startPublicServer,
  type RunningServer,
  type ServerApplication,
  type ServerOptions,
  type ServerParts,
} from './start-public-server.js';
