import 'reflect-metadata';
import { randomUUID } from 'node:crypto';
import type { AddressInfo } from 'node:net';
import { NestFactory } from '@nestjs/core';
import { FastifyAdapter, type NestFastifyApplication } from '@nestjs/platform-fastify';
import {
  Bus,
  LeaseBucket,
  NatsReplicationRecords,
  NatsStorage,
  RUNNERS,
  SessionClient,
  WorkerAnnouncer,
  WorkerRegistry,
} from '@edgesync/bus-nats';
import type { EdgeConfig } from '@edgesync/config';
import { isEdgeError } from '@edgesync/errors';
import { createHttpAdapter, type HttpAdapterOptions, type ServerParts } from '@edgesync/gateway';
import { GatewayServiceModule, SyncRelay, type DeploymentReplications } from '@edgesync/gateway/split';
import { HandshakeVerifier, Metrics, REPLICATION_SEAL, Sealer, AuditLog, type Loggers } from '@edgesync/platform';
import type { Storage } from '@edgesync/ports';
import { mountPeers, PeerSessions } from '@edgesync/replication';
import { serveSessions, WorkerModule } from '@edgesync/replication/split';
import { SqliteStorage, type DatabaseOptions } from '@edgesync/storage-sqlite';
import { serveOnBus, StorageServiceModule } from '@edgesync/storage/split';
import { PROTOCOL_VERSIONS, subprotocolOf } from '@edgesync/sync-protocol';
import { takeNatsAccount, type NatsAccount } from './nats-accounts.js';

const HANDSHAKE_SECRET = 'known to the gateway and the workers of a test';
const ANY_PORT = 0;
const LOOPBACK = '127.0.0.1';

/** The outputs of a service. */
export interface ServiceObservers {
  readonly loggers: Loggers;
  readonly audit: AuditLog;
  readonly metrics: Metrics;
}

export interface SplitOptions {
  readonly gateway: ServerParts;
  /** A replication worker is started if this is given. */
  readonly worker?: ServiceObservers;
  /** The clock of the storage, Unix milliseconds. */
  readonly now?: () => number;
  /** Wraps the storage as the gateway sees it. */
  readonly wrap?: (storage: Storage) => Storage;
  readonly http?: HttpAdapterOptions;
  /** Looks after replications with other servers. Default: nobody does. */
  readonly replications?: DeploymentReplications;
}

/** Gateway, storage and perhaps a replication worker, which know each other through NATS alone. */
export interface SplitDeployment {
  readonly gateway: NestFastifyApplication;
  readonly port: number;
  readonly worker: NestFastifyApplication | undefined;
  /** The internal port of the worker: `http://127.0.0.1:port`. */
  readonly workerUrl: string | undefined;
  /** The engine behind the storage service. */
  readonly storage: SqliteStorage;
  /** Stops the gateway alone. */
  stopGateway(): Promise<void>;
  /** Stops the public side, as at an upgrade: workers drain first, then the gateway. Storage goes on. */
  stop(): Promise<void>;
  /** Stops everything. */
  close(): Promise<void>;
}

/** Starts the services in this process, over a real NATS server, and resolves when every database is served. */
export async function startSplit(options: SplitOptions): Promise<SplitDeployment> {
  const account = await takeNatsAccount();
  const { config, loggers } = options.gateway;
  const storage = await startStorage(account, config, loggers, options.now);
  const worker = options.worker && (await startWorker(account, config, options.worker));
  const gateway = await startGateway(account, options);
  await gateway.isReady(worker ? 1 : 0);
  const stopWorker = once(async () => worker?.close());
  const stopGateway = once(() => gateway.close());
  const stop = async (): Promise<void> => {
    await stopWorker();
    await stopGateway();
  };
  return {
    gateway: gateway.app,
    port: portOf(gateway.app),
    worker: worker?.app,
    workerUrl: worker && `http://${LOOPBACK}:${portOf(worker.app)}`,
    storage: storage.engine,
    stopGateway,
    stop,
    close: async () => {
      await stop();
      await storage.close();
    },
  };
}

/** The engine with a clock that a test sets. */
class ClockedStorage extends SqliteStorage {
  constructor(private readonly now: () => number) {
    super();
  }

  override openDatabase(options: DatabaseOptions): ReturnType<SqliteStorage['openDatabase']> {
    return super.openDatabase({ ...options, now: this.now });
  }
}

async function startStorage(
  account: NatsAccount,
  config: EdgeConfig,
  loggers: Loggers,
  now: () => number = Date.now,
): Promise<{ engine: SqliteStorage; close(): Promise<void> }> {
  const bus = await Bus.connect({ ...account, name: 'storage' });
  const engine = new ClockedStorage(now);
  const leases = new LeaseBucket(bus);
  const app = await NestFactory.create<NestFastifyApplication>(
    StorageServiceModule.register({
      config,
      bus,
      leases,
      storage: engine,
      loggers,
      audit: AuditLog.none(),
      metrics: new Metrics(),
    }),
    new FastifyAdapter(),
    { logger: false, abortOnError: false },
  );
  await serveOnBus(app);
  await app.listen(ANY_PORT, LOOPBACK);
  return {
    engine,
    close: async () => {
      await app.close();
      await bus.close();
    },
  };
}

async function startWorker(
  account: NatsAccount,
  config: EdgeConfig,
  { loggers, audit, metrics }: ServiceObservers,
): Promise<{ app: NestFastifyApplication; close(): Promise<void> }> {
  const bus = await Bus.connect({ ...account, name: 'replication' });
  const storage = new NatsStorage(bus, { databases: [...config.databases.keys()] });
  const id = randomUUID();
  const verifier = new HandshakeVerifier(HANDSHAKE_SECRET, id);
  const sealer = new Sealer(HANDSHAKE_SECRET, REPLICATION_SEAL);
  const app = await NestFactory.create<NestFastifyApplication>(
    WorkerModule.register({
      config,
      storage,
      bus,
      id,
      verifier,
      sealer,
      leases: new LeaseBucket(bus, { bucket: RUNNERS }),
      records: new NatsReplicationRecords(bus, { seal: sealer }),
      loggers,
      audit,
      metrics,
    }),
    new FastifyAdapter(),
    { logger: false, abortOnError: false },
  );
  mountPeers(app);
  await app.listen(ANY_PORT, LOOPBACK);
  const address = `${LOOPBACK}:${portOf(app)}`;
  const sessions = app.get(PeerSessions);
  const protocols = PROTOCOL_VERSIONS.map(subprotocolOf);
  const state = () => ({ address, load: sessions.list().length, capacity: 1_000, protocols });
  const served = serveSessions(bus, id, sessions);
  const announcer = new WorkerAnnouncer(bus, 'replication', state, undefined, id);
  return {
    app,
    close: async () => {
      await announcer.leave();
      served.close();
      await app.close();
      storage.close();
      await bus.close();
    },
  };
}

async function startGateway(
  account: NatsAccount,
  { gateway: parts, wrap = (storage) => storage, http, replications }: SplitOptions,
): Promise<{ app: NestFastifyApplication; isReady(workers: number): Promise<void>; close(): Promise<void> }> {
  const databases = [...parts.config.databases.keys()];
  const bus = await Bus.connect({ ...account, name: 'gateway' });
  const storage = new NatsStorage(bus, { databases });
  const workers = new WorkerRegistry(bus, 'replication');
  const service = GatewayServiceModule.register({
    ...parts,
    storage: wrap(storage),
    workers,
    sessions: new SessionClient(bus),
    handshakeSecret: HANDSHAKE_SECRET,
    ...(replications && { replications }),
  });
  const app = await NestFactory.create<NestFastifyApplication>(service, createHttpAdapter(http), {
    logger: false,
    abortOnError: false,
  });
  app.getHttpServer().on('upgrade', app.get(SyncRelay).upgrade);
  await app.listen(ANY_PORT, LOOPBACK);
  return {
    app,
    isReady: async (count) => {
      await Promise.all(databases.map((name) => served(storage, name)));
      while (workers.workers().length < count) await new Promise((resolve) => setTimeout(resolve, 5));
    },
    close: async () => {
      await app.close();
      workers.close();
      storage.close();
      await bus.close();
    },
  };
}

/** Resolves when somebody serves the database. */
async function served(storage: NatsStorage, database: string): Promise<void> {
  for (;;)
    try {
      await storage.describe(database);
      return;
    } catch (error) {
      if (!isEdgeError(error) || error.status !== 503) throw error;
    }
}

function once<T>(act: () => Promise<T>): () => Promise<T> {
  let done: Promise<T> | undefined;
  return () => (done ??= act());
}

const portOf = (app: NestFastifyApplication): number => (app.getHttpServer().address() as AddressInfo).port;
