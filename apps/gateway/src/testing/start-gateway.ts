import { mkdtempSync, rmSync } from 'node:fs';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { DynamicModule } from '@nestjs/common';
import { NestFactory } from '@nestjs/core';
import type { NestFastifyApplication } from '@nestjs/platform-fastify';
import 'reflect-metadata';
import { readConfig, readUsers, type EdgeConfig } from '@edgesync/config';
import {
  ACTIVE_TASKS,
  ActiveTasks,
  AUDIT_EVENTS,
  AUDIT_LOG,
  AuditLog,
  AUTHENTICATOR,
  createAuthenticator,
  EDGE_CONFIG,
  Loggers,
  LOGGERS,
  Metrics,
  METRICS,
  REPLICATION_CONTROL,
  recordAuthentications,
  STORAGE,
  type LogOutput,
} from '@edgesync/platform';
import type { ReplicationControl, Storage } from '@edgesync/ports';
import { SqliteStorage } from '@edgesync/storage-sqlite';
import { createHttpAdapter, GatewayModule, type HttpAdapterOptions } from '../index.js';

export interface AuditEvent {
  readonly id: number;
  readonly [field: string]: unknown;
}

export interface TestGateway extends AsyncDisposable {
  /** `http://127.0.0.1:port`. */
  readonly url: string;
  readonly port: number;
  readonly app: NestFastifyApplication;
  readonly storage: SqliteStorage;
  /** Lines of the operational log. */
  readonly log: readonly string[];
  /** Every event of the audit log. */
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
  /** Wraps the storage, to make it misbehave. */
  readonly wrap?: (storage: Storage) => Storage;
  readonly timeouts?: HttpAdapterOptions['timeouts'];
}

/** Collections that the database `db` has. */
export const COLLECTIONS = ['_default', 'things', 'shop.orders'];

/**
 * A gateway over SQLite databases in a temporary directory, on a free port: `db` takes writes and has
 * {@link COLLECTIONS}, `frozen` takes none, `partial` shares the collection `only` alone.
 */
export async function startGateway(options: TestGatewayOptions = {}): Promise<TestGateway> {
  const directory = mkdtempSync(join(tmpdir(), 'gateway-'));
  const config = testConfig(directory, options);
  const storage = new SqliteStorage();
  let ahead = 0;
  for (const { name, path, create, collections } of config.databases.values())
    await storage.openDatabase({
      name,
      path,
      create,
      ...(collections && { collections }),
      now: () => Date.now() + ahead * 1000,
    });
  const users = readUsers(JSON.stringify(options.users ?? {}), 'users.json');
  if (!users.ok) throw new Error(JSON.stringify(users.faults));
  const log: string[] = [];
  const output: LogOutput = { line: (text) => void log.push(text), flush: async () => {}, flushSync: () => {} };
  const events: AuditEvent[] = [];
  const audit = new AuditLog({
    output: { ...output, line: (text) => void events.push(JSON.parse(text) as AuditEvent) },
    selected: new Set(Object.values(AUDIT_EVENTS).map(({ id }) => id)),
    omitDescription: true,
    now: Date.now,
  });
  const metrics = new Metrics();
  const provided = {
    [STORAGE]: options.wrap ? options.wrap(storage) : storage,
    [EDGE_CONFIG]: config,
    [AUTHENTICATOR]: createAuthenticator(config, users.value, recordAuthentications(audit, metrics)),
    [LOGGERS]: new Loggers({ config: config.logging, output, now: Date.now }),
    [AUDIT_LOG]: audit,
    [METRICS]: metrics,
    [ACTIVE_TASKS]: new ActiveTasks(),
    ...(options.replications && { [REPLICATION_CONTROL]: options.replications }),
  };
  const app = await NestFactory.create<NestFastifyApplication>(
    GatewayModule.register({ imports: [provide(provided)] }),
    createHttpAdapter(options.timeouts ? { timeouts: options.timeouts } : {}),
    { logger: false, abortOnError: false },
  );
  await app.listen(0, '127.0.0.1');
  const { port } = app.getHttpServer().address() as AddressInfo;
  return {
    url: `http://127.0.0.1:${port}`,
    port,
    app,
    storage,
    log,
    audit: events,
    advance: (seconds) => void (ahead += seconds),
    async [Symbol.asyncDispose]() {
      await app.close();
      await storage.close();
      rmSync(directory, { recursive: true, force: true });
    },
  };
}

function testConfig(directory: string, { config, database }: TestGatewayOptions): EdgeConfig {
  const bundle = (name: string): string => join(directory, `${name}.cblite2`);
  const text = JSON.stringify({
    enable_anonymous_users: true,
    ...config,
    databases: {
      db: { path: bundle('db'), create: true, enable_client_writes: true, collections: COLLECTIONS, ...database },
      frozen: { path: bundle('frozen'), create: true },
      partial: { path: bundle('partial'), create: true, enable_client_writes: true, collections: ['only'] },
    },
  });
  const result = readConfig(text, { file: 'test.json', resolvePath: (path) => path });
  if (!result.ok) throw new Error(JSON.stringify(result.faults));
  return result.value;
}

function provide(values: Record<symbol, unknown>): DynamicModule {
  class TestModule {}
  const tokens = Object.getOwnPropertySymbols(values);
  return {
    module: TestModule,
    global: true,
    providers: tokens.map((token) => ({ provide: token, useValue: values[token] })),
    exports: tokens,
  };
}
