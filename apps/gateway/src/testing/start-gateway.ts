import { startAllInOne } from './all-in-one-gateway.js';
import type { TestGateway, TestGatewayOptions } from './test-gateway.js';

export type { AuditEvent, TestGateway, TestGatewayOptions } from './test-gateway.js';

/** Starts a gateway with what it needs, in some deployment. */
export type GatewayStarter = (options: TestGatewayOptions) => Promise<TestGateway>;

let starter: GatewayStarter = startAllInOne;

/** Lets {@link startGateway} start another deployment than a gateway that has its storage in the same process. */
export function deployGatewaysWith(other: GatewayStarter): void {
  starter = other;
}

/**
 * A gateway over SQLite databases in a temporary directory, on a free port: `db` takes writes and has the collections
 * `COLLECTIONS`, `frozen` takes none, `partial` shares the collection `only` alone.
 */
export const startGateway = (options: TestGatewayOptions = {}): Promise<TestGateway> => starter(options);
