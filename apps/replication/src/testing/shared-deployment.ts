import type { AddressInfo } from 'node:net';
import { NestFactory } from '@nestjs/core';
import { FastifyAdapter, type NestFastifyApplication } from '@nestjs/platform-fastify';
import {
  Bus,
  LeaseBucket,
  NatsReplicationControl,
  NatsReplicationRecords,
  NatsStorage,
  RUNNERS,
  StorageServer,
  WorkerAnnouncer,
  WorkerRegistry,
} from '@edgesync/bus-nats';
import { HandshakeVerifier, REPLICATION_SEAL, Sealer, type Metrics } from '@edgesync/platform';
import type { SqliteStorage } from '@edgesync/storage-sqlite';
import { startNatsServer, type NatsServer } from '@edgesync/test-kit';
import { mountPeers } from '../index.js';
import { WorkerModule } from '../split/worker.module.js';
import { configOf, observersOf, temporaryStorage } from './running-server.js';

const SECRET = 'a secret that gateways and workers share';

/** Milliseconds; the default is too long to wait for in a test. */
const LEASE_LIFE = 1_500;

export interface TestWorker {
  readonly log: readonly string[];
  /** Every event of the audit log. */
  readonly audit: readonly Record<string, unknown>[];
  readonly metrics: Metrics;
  /** As on SIGTERM. */
  drain(): Promise<void>;
}

/** NATS, storage with a database `db`, and the workers and controls of gateways that a test adds. */
export class SharedDeployment implements AsyncDisposable {
  private readonly closers: (() => unknown)[] = [];

  private constructor(
    readonly nats: NatsServer,
    readonly storage: SqliteStorage,
  ) {}

  static async start(): Promise<SharedDeployment> {
    const nats = await startNatsServer();
    const storage = await temporaryStorage();
    const deployment = new SharedDeployment(nats, storage);
    deployment.closers.push(
      () => nats.dispose(),
      () => storage[Symbol.asyncDispose](),
    );
    const bus = await deployment.bus('storage');
    const server = new StorageServer(bus, storage);
    deployment.closers.push(() => server.close());
    await server.serve('db');
    return deployment;
  }

  /** Parts of a gateway. */
  async control(): Promise<NatsReplicationControl> {
    const bus = await this.bus('gateway');
    const workers = new WorkerRegistry(bus, 'replication');
    const seal = new Sealer(SECRET, REPLICATION_SEAL);
    const records = new NatsReplicationRecords(bus, { seal, guest: true });
    const control = new NatsReplicationControl(bus, workers, records, {
      seal,
      patience: 1_000,
    });
    this.closers.push(
      () => workers.close(),
      () => control.close(),
    );
    return control;
  }

  /** @param replications as in the configuration file */
  async worker(replications: readonly object[] = []): Promise<TestWorker> {
    const config = configOf({
      enable_anonymous_users: true,
      databases: { db: { path: '/tmp/x.cblite2', create: true, enable_client_sync: true } },
      replications,
    });
    const bus = await Bus.connect({ servers: this.nats.url, name: 'replication' });
    const storage = new NatsStorage(bus, { databases: ['db'] });
    const { log, events, loggers, audit, metrics } = observersOf(config);
    const id = `worker-${Math.random()}`;
    const sealer = new Sealer(SECRET, REPLICATION_SEAL);
    const app = await NestFactory.create<NestFastifyApplication>(
      WorkerModule.register({
        config,
        storage,
        bus,
        id,
        verifier: new HandshakeVerifier(SECRET, id),
        sealer,
        leases: new LeaseBucket(bus, { life: LEASE_LIFE, bucket: RUNNERS }),
        records: new NatsReplicationRecords(bus, { seal: sealer, report: (error) => void log.push(String(error)) }),
        loggers,
        audit,
        metrics,
      }),
      new FastifyAdapter(),
      { logger: false, abortOnError: false },
    );
    mountPeers(app);
    await app.listen(0, '127.0.0.1');
    const { port } = app.getHttpServer().address() as AddressInfo;
    const state = { address: `127.0.0.1:${port}`, load: 0, capacity: 1, protocols: [] };
    const announcer = new WorkerAnnouncer(bus, 'replication', () => state, undefined, id);
    let drained: Promise<void> | undefined;
    const drain = (): Promise<void> =>
      (drained ??= (async () => {
        await announcer.leave();
        await app.close();
        storage.close();
        await bus.close();
      })());
    this.closers.push(drain);
    return { log, audit: events, metrics, drain };
  }

  /** A connection to NATS that lasts as long as the deployment. */
  async bus(name: string): Promise<Bus> {
    const bus = await Bus.connect({ servers: this.nats.url, name });
    this.closers.push(() => bus.close());
    return bus;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const close of this.closers.reverse()) await close();
  }
}
