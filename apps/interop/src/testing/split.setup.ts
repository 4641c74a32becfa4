import { afterAll } from 'vitest';
import { deployGatewaysWith } from '@edgesync/gateway/testing';
import { deployServersWith } from '@edgesync/replication/testing';
import { deployCrashSitesWith } from './crash-site.js';
import { deployFilesWith } from './start-deployed.js';

/** Set up before every test file of the Vitest project `split`: what the suites start is a split deployment. */
deployGatewaysWith(async (options) => (await import('./split-gateway.js')).startSplitGateway(options));
deployServersWith(async (config, users) => (await import('./split-server.js')).startSplitServer(config, users));
deployFilesWith(async (configFile) => (await import('./split-from-file.js')).startSplitFromFile(configFile));
deployCrashSitesWith(async () => (await import('./split-crash-site.js')).openSplitCrashSite());

afterAll(async () => (await import('./nats-accounts.js')).endNatsServer());
