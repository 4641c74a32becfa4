import 'reflect-metadata';
import { createHash, randomBytes } from 'node:crypto';
import { mkdtempSync, rmSync } from 'node:fs';
import { connect, type AddressInfo, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { systemScheduler, type Scheduler } from '@edgesync/async';
import type { DynamicModule } from '@nestjs/common';
import { NestFactory } from '@nestjs/core';
import { FastifyAdapter, type NestFastifyApplication } from '@nestjs/platform-fastify';
import { readConfig, type DatabaseConfig, type EdgeConfig, type Users } from '@edgesync/config';
import { Subscriptions } from '@edgesync/change-feed';
import {
  ACTIVE_TASKS,
  ActiveTasks,
  AUDIT_EVENTS,
  AUDIT_LOG,
  AuditLog,
  AUTHENTICATOR,
  type Authenticator,
  createAuthenticator,
  EDGE_CONFIG,
  Loggers,
  LOGGERS,
  Metrics,
  METRICS,
  REPLICATION_CONTROL,
  STORAGE,
} from '@edgesync/platform';
import type { ReplicationControl } from '@edgesync/ports';
import { ReplicatorContext } from '@edgesync/replicator';
import { SqliteStorage } from '@edgesync/storage-sqlite';
import { mountPeers, PeerSessions, ReplicationModule } from '../index.js';

/** Decorators are for files that are built; this module is put together by hand. */
class PartsModule {}

interface Observed {
  readonly audit: AuditLog;
  readonly metrics: Metrics;
}

function parts(
  config: EdgeConfig,
  users: Users,
  loggers: Loggers,
  storage: SqliteStorage,
  { audit, metrics }: Observed,
): DynamicModule {
  return {
    module: PartsModule,
    global: true,
    imports: [ReplicationModule.register()],
    providers: [
      { provide: EDGE_CONFIG, useValue: config },
      { provide: AUTHENTICATOR, useValue: createAuthenticator(config, users) },
      { provide: LOGGERS, useValue: loggers },
      { provide: STORAGE, useValue: storage },
      { provide: AUDIT_LOG, useValue: audit },
      { provide: METRICS, useValue: metrics },
      { provide: ACTIVE_TASKS, useFactory: () => new ActiveTasks() },
    ],
    exports: [EDGE_CONFIG, AUTHENTICATOR, LOGGERS, STORAGE, AUDIT_LOG, METRICS, ACTIVE_TASKS],
  };
}

/** A storage in a temporary folder, with these databases. */
export async function temporaryStorage(
  databases: readonly Pick<DatabaseConfig, 'name' | 'collections'>[] = [{ name: 'db' }],
): Promise<SqliteStorage & AsyncDisposable> {
  const folder = mkdtempSync(join(tmpdir(), 'edgesync-'));
  const storage = new SqliteStorage();
  for (const { name, collections } of databases)
    await storage.openDatabase({
      name,
      path: join(folder, `${name}.cblite2`),
      create: true,
      keepSuperseded: true,
      ...(collections && { collections }),
    });
  return Object.assign(storage, {
    [Symbol.asyncDispose]: async () => {
      await storage.close();
      rmSync(folder, { recursive: true });
    },
  });
}

/** The context of the replicator over a storage. */
export function contextOf(storage: SqliteStorage, scheduler: Scheduler = systemScheduler): ReplicatorContext {
  return new ReplicatorContext({
    storage,
    feeds: new Subscriptions(storage, systemScheduler, { coolingMs: 1 }),
    scheduler,
    createSha1: () => {
      const hash = createHash('sha1');
      return { update: (bytes) => void hash.update(bytes), digestBase64: () => hash.digest('base64') };
    },
    randomBytes: (count) => randomBytes(count),
    now: Date.now,
    uptime: () => performance.now(),
    nextTurn: setImmediate,
  });
}

export interface RunningServer extends AsyncDisposable {
  readonly port: number;
  /** The engine that holds the documents, wherever it runs. */
  readonly storage: SqliteStorage;
  /** Of the process that has the sessions. */
  readonly sessions: PeerSessions;
  /** Replies of the public port. */
  readonly tasks: ActiveTasks;
  /** Of the public port. */
  readonly authenticator: Authenticator;
  readonly control: ReplicationControl;
  readonly log: readonly string[];
  /** Every event of the audit log of the process that has the sessions. */
  readonly audit: readonly Record<string, unknown>[];
  /** Of the process that has the sessions. */
  readonly metrics: Metrics;
  /** Ends what serves apps, in good order. */
  stop(): Promise<void>;
}

/** Starts the replication service with what it needs, in some deployment. */
export type ServerStarter = (config: EdgeConfig, users: Users) => Promise<RunningServer>;

let starter: ServerStarter = startAllInOne;

/** Lets {@link runServer} start another deployment than one process. */
export function deployServersWith(other: ServerStarter): void {
  starter = other;
}

/** The replication service on a port of its own, with a database per entry of the configuration, in a temporary folder. */
export async function runServer(configuration: object, users: Users = new Map()): Promise<RunningServer> {
  return starter(configOf(configuration), users);
}

/** The configuration in such a file. */
export function configOf(configuration: object): EdgeConfig {
  const read = readConfig(JSON.stringify(configuration), { file: 'config.json', unsupported: [] });
  if (!read.ok) throw new Error(JSON.stringify(read));
  return read.value;
}

/** Logs kept in memory, and metrics. */
export function observersOf({ logging }: EdgeConfig) {
  const log: string[] = [];
  const output = { line: (line: string) => log.push(line), flush: () => Promise.resolve(), flushSync: () => {} };
  const loggers = new Loggers({ config: { ...logging, console: true }, output, now: Date.now, verbose: true });
  const events: Record<string, unknown>[] = [];
  const audit = new AuditLog({
    output: {
      line: (text) => void events.push(JSON.parse(text) as Record<string, unknown>),
      written: () => undefined,
    },
    selected: new Set(Object.values(AUDIT_EVENTS).map(({ id }) => id)),
    omitDescription: true,
    now: Date.now,
  });
  return { log, loggers, events, audit, metrics: new Metrics() };
}

async function startAllInOne(config: EdgeConfig, users: Users): Promise<RunningServer> {
  const storage = await temporaryStorage([...config.databases.values()]);
  const { log, loggers, events, audit, metrics } = observersOf(config);
  const app = await NestFactory.create<NestFastifyApplication>(
    parts(config, users, loggers, storage, { audit, metrics }),
    new FastifyAdapter(),
    { logger: false },
  );
  mountPeers(app);
  await app.listen(0, '127.0.0.1');
  const { port } = app.getHttpServer().address() as AddressInfo;
  let stopped: Promise<void> | undefined;
  const stop = (): Promise<void> => (stopped ??= app.close());
  return {
    port,
    storage,
    sessions: app.get(PeerSessions),
    tasks: app.get<ActiveTasks>(ACTIVE_TASKS),
    authenticator: app.get<Authenticator>(AUTHENTICATOR),
    control: app.get<ReplicationControl>(REPLICATION_CONTROL),
    log,
    audit: events,
    metrics,
    stop,
    [Symbol.asyncDispose]: async () => {
      await stop();
      await storage[Symbol.asyncDispose]();
    },
  };
}

/** Sends an upgrade request as raw text and returns the head of the answer, with the socket if it stays open. */
export function rawUpgrade(
  port: number,
  path: string,
  headers: Readonly<Record<string, string>> = {},
): Promise<{ head: string; body: string; socket: Socket }> {
  const lines = {
    Host: `127.0.0.1:${port}`,
    'User-Agent': 'CouchbaseLite/3.2.6-1',
    Connection: 'Upgrade',
    Upgrade: 'websocket',
    'Sec-WebSocket-Version': '13',
    'Sec-WebSocket-Key': 'IQrhYJP/syolmKpKaCJucA==',
    'Sec-WebSocket-Protocol': 'BLIP_3+CBMobile_3,BLIP_3+CBMobile_2',
    ...headers,
  };
  const socket = connect(port, '127.0.0.1');
  const text = Object.entries(lines).map(([name, value]) => `${name}: ${value}`);
  socket.write(`GET ${path} HTTP/1.1\r\n${text.join('\r\n')}\r\n\r\n`);
  return new Promise((resolve, reject) => {
    let received = '';
    socket.on('error', reject);
    socket.on('data', (chunk) => {
      received += chunk.toString('latin1');
      const end = received.indexOf('\r\n\r\n');
      if (end < 0) return;
      const head = received.slice(0, end);
      const length = Number(/content-length: (\d+)/i.exec(head)?.[1] ?? 0);
      if (received.length >= end + 4 + length) resolve({ head, body: received.slice(end + 4), socket });
    });
  });
}
