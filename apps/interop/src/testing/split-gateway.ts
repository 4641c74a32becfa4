import { REPLICATION_CONTROL } from '@edgesync/platform';
import { gatewayParts, provide, type TestGateway, type TestGatewayOptions } from '@edgesync/gateway/testing';
import { startSplit } from './split-deployment.js';

/** The gateway of a split deployment, with its storage behind NATS. */
export async function startSplitGateway(options: TestGatewayOptions): Promise<TestGateway> {
  const parts = gatewayParts(options);
  const { replications, timeouts, wrap } = options;
  const split = await startSplit({
    gateway: parts,
    now: parts.now,
    ...(wrap && { wrap }),
    ...(timeouts && { http: { timeouts } }),
    ...(replications && { imports: [provide({ [REPLICATION_CONTROL]: replications })] }),
  });
  return {
    url: `http://127.0.0.1:${split.port}`,
    port: split.port,
    app: split.gateway,
    withoutSync: 503,
    storage: split.storage,
    log: parts.log,
    audit: parts.events,
    advance: parts.advance,
    async [Symbol.asyncDispose]() {
      await split.close();
      parts[Symbol.dispose]();
    },
  };
}
