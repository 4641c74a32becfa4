export { gatewayParts } from './gateway-parts.js';
export { deployGatewaysWith, type TestGateway, type TestGatewayOptions } from './start-gateway.js';
