import type { DeploymentReplications } from '@edgesync/gateway/split';
import { gatewayParts, type TestGateway, type TestGatewayOptions } from '@edgesync/gateway/testing';
import type { ReplicationControl } from '@edgesync/ports';
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
    ...(replications && { replications: shownByListing(replications) }),
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

function shownByListing(control: ReplicationControl): DeploymentReplications {
  return {
    start: (definition) => control.start(definition),
    list: () => control.list(),
    shown: () => control.list(),
    status: (id) => control.status(id),
    delete: (id) => control.delete(id),
  };
}
