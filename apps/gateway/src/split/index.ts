export {
  GatewayServiceModule,
  type DeploymentReplications,
  type GatewayServiceParts,
} from './gateway-service.module.js';
export { SyncRelay } from './sync-relay.service.js';
