export { checkServerTls } from './check-server-tls.js';
export { certifiedName } from './client-certificate.js';
export { openServerTls, type OpenServerTls } from './open-server-tls.js';
export { certificateBlocks, isPem } from './pem.js';
export { parsePrivateKey } from './private-key.js';
export type { ServerTls } from './server-tls.js';
