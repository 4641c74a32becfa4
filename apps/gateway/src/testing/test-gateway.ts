import type { NestFastifyApplication } from '@nestjs/platform-fastify';
import type { ReplicationControl, Storage } from '@edgesync/ports';
import type { SqliteStorage } from '@edgesync/storage-sqlite';
import type { HttpAdapterOptions } from '../index.js';

/** An event of the audit log. */
export interface AuditEvent {
  readonly id: number;
  readonly [field: string]: unknown;
}

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
  /** Members of the configuration of `db`. */
  readonly database?: Record<string, unknown>;
  /** Further databases, with members of their configuration. */
  readonly databases?: Readonly<Record<string, Record<string, unknown>>>;
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
