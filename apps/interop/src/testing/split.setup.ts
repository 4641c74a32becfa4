import { afterAll } from 'vitest';
import { deployGatewaysWith } from '@edgesync/gateway/testing';
import { deployServersWith } from '@edgesync/replication/testing';

/** Set up before every test file of the Vitest project `split`: what the suites start is a split deployment. */
deployGatewaysWith(async (options) => (await import('./split-gateway.js')).startSplitGateway(options));
deployServersWith(async (config, users) => (await import('./split-server.js')).startSplitServer(config, users));

afterAll(async () => (await import('./nats-accounts.js')).endNatsServer());
