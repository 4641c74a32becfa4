export { EdgeModule } from './edge.module.js';
export { startServer, type RunningServer, type ServerOptions } from './start-server.js';
