import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { DynamicModule } from '@nestjs/common';
import { readConfig, readUsers, type EdgeConfig } from '@edgesync/config';
import {
  AUDIT_EVENTS,
  AuditLog,
  createAuthenticator,
  Loggers,
  Metrics,
  recordAuthentications,
  type LogOutput,
} from '@edgesync/platform';
import type { ServerParts } from '../index.js';
import type { AuditEvent, TestGatewayOptions } from './test-gateway.js';

/** Parts of the gateway of a test, whatever the deployment. */
export interface GatewayParts extends ServerParts, Disposable {
  /** Lines of the operational log. */
  readonly log: string[];
  /** Every event of the audit log. */
  readonly events: AuditEvent[];
  /** The clock of the storage, Unix milliseconds. */
  readonly now: () => number;
  advance(seconds: number): void;
}

/** Collections that the database `db` has. */
export const COLLECTIONS = ['_default', 'things', 'shop.orders'];

/** Reads configuration and users, makes a temporary directory for the databases and logs that remember. */
export function gatewayParts(options: TestGatewayOptions): GatewayParts {
  const directory = mkdtempSync(join(tmpdir(), 'gateway-'));
  const config = testConfig(directory, options);
  const users = readUsers(JSON.stringify(options.users ?? {}), 'users.json');
  if (!users.ok) throw new Error(JSON.stringify(users.issues));
  const log: string[] = [];
  const output: LogOutput = { line: (text) => void log.push(text), flush: async () => {}, flushSync: () => {} };
  const events: AuditEvent[] = [];
  const audit = new AuditLog({
    output: {
      line: (text) => void events.push(JSON.parse(text) as AuditEvent),
      written: () => options.auditWritten?.(),
    },
    selected: new Set(Object.values(AUDIT_EVENTS).map(({ id }) => id)),
    omitDescription: true,
    now: Date.now,
  });
  const metrics = new Metrics();
  let ahead = 0;
  return {
    config,
    authenticator: createAuthenticator(config, users.value, recordAuthentications(audit, metrics)),
    loggers: new Loggers({ config: config.logging, output, now: Date.now }),
    audit,
    metrics,
    log,
    events,
    now: () => Date.now() + ahead * 1000,
    advance: (seconds) => void (ahead += seconds),
    [Symbol.dispose]: () => rmSync(directory, { recursive: true, force: true }),
  };
}

function testConfig(directory: string, { config, database, databases }: TestGatewayOptions): EdgeConfig {
  const bundle = (name: string): string => join(directory, `${name}.cblite2`);
  const text = JSON.stringify({
    enable_anonymous_users: true,
    ...config,
    databases: {
      db: { path: bundle('db'), create: true, enable_client_writes: true, collections: COLLECTIONS, ...database },
      frozen: { path: bundle('frozen'), create: true },
      ...Object.fromEntries(
        Object.entries(databases ?? {}).map(([name, entry]) => [name, { path: bundle(name), create: true, ...entry }]),
      ),
      partial: { path: bundle('partial'), create: true, enable_client_writes: true, collections: ['only'] },
    },
  });
  const result = readConfig(text, { file: 'test.json', resolvePath: (path) => path, unsupported: [] });
  if (!result.ok) throw new Error(JSON.stringify(result.issues));
  return result.value;
}

/** A global module that provides values. */
export function provide(values: Record<symbol, unknown>): DynamicModule {
  class TestModule {}
  const tokens = Object.getOwnPropertySymbols(values);
  return {
    module: TestModule,
    global: true,
    providers: tokens.map((token) => ({ provide: token, useValue: values[token] })),
    exports: tokens,
  };
}
