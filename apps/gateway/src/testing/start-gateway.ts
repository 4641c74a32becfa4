import type { NestFastifyApplication } from '@nestjs/platform-fastify';
import type { ReplicationControl, Storage } from '@edgesync/ports';
import type { SqliteStorage } from '@edgesync/storage-sqlite';
import type { HttpAdapterOptions } from '../index.js';
import { startAllInOne } from './all-in-one-gateway.js';
import type { AuditEvent } from './gateway-parts.js';

export type { AuditEvent };
export { COLLECTIONS } from './gateway-parts.js';

export interface TestGateway extends AsyncDisposable {
  /** `http://127.0.0.1:port`. */
  readonly url: string;
  readonly port: number;
  readonly app: NestFastifyApplication;
  /** Status of an upgrade to sync, which nobody takes here. */
  readonly withoutSync: number;
  /** The engine that holds the documents, wherever it runs. */
  readonly storage: SqliteStorage;
  /** Lines of the operational log of the gateway. */
  readonly log: readonly string[];
  /** Every event of the gateway's audit log. */
  readonly audit: readonly AuditEvent[];
  /** Seconds that the clock of the storage is ahead. */
  advance(seconds: number): void;
}

export interface TestGatewayOptions {
  /** Members of the configuration file beside `databases`. */
  readonly config?: Record<string, unknown>;
  /** Members of every database's configuration. */
  readonly database?: Record<string, unknown>;
  /** The users file. */
  readonly users?: Record<string, unknown>;
  /** Looks after replications with other servers. Default: nobody does. */
  readonly replications?: ReplicationControl;
  /** Wraps the storage as the gateway sees it, to make it misbehave. */
  readonly wrap?: (storage: Storage) => Storage;
  /** When the events of the audit log are in its file. Default: at once. */
  readonly auditWritten?: () => Promise<void> | undefined;
  readonly timeouts?: HttpAdapterOptions['timeouts'];
}

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
