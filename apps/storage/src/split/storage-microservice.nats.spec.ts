import 'reflect-metadata';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { NestFactory } from '@nestjs/core';
import { Bus, NatsStorage } from '@edgesync/bus-nats';
import {
  describeQueryContract,
  describeStorageContract,
  type StorageSetup,
  type StorageUnderTest,
} from '@edgesync/ports/testing';
import { SqliteStorage, type SqliteDatabase } from '@edgesync/storage-sqlite';
import { startNatsServer, type NatsServer } from '@edgesync/test-kit';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { BusStrategy } from './bus.strategy.js';
import { StorageController } from './storage.controller.js';

let nats: NatsServer;
beforeAll(async () => {
  nats = await startNatsServer();
});
afterAll(() => nats.dispose());

describeStorageContract('SQLite through a Nest microservice', openMicroservice);
describeQueryContract('SQLite through a Nest microservice', openMicroservice);

describe('the microservice of storage', () => {
  it('does not start if an operation has no handler', async () => {
    const bus = await Bus.connect({ servers: nats.url, name: 'storage' });
    const sqlite = new SqliteStorage();
    const strategy = new BusStrategy(bus, sqlite, () => {});
    const app = await NestFactory.createMicroservice({ module: class Empty {} }, { strategy, logger: false });
    await expect(app.listen()).rejects.toThrow(
      /^nothing handles describe, collection, read, .*missingBlobs, query, explain, indexes$/,
    );
    await app.close();
    await bus.close();
  });

  it('reports errors of its own without their text', async () => {
    const bus = await Bus.connect({ servers: nats.url, name: 'both' });
    const sqlite = new SqliteStorage();
    const reports: unknown[] = [];
    const folder = mkdtempSync(join(tmpdir(), 'edgesync-'));
    await sqlite.openDatabase({ name: 'faulty', path: join(folder, 'faulty.cblite2'), create: true });
    const app = await startMicroservice(new BusStrategy(bus, sqlite, (error) => reports.push(error)), sqlite);
    await app.strategy.serve('faulty', () => true);
    const storage = new NatsStorage(bus, { databases: ['faulty'] });
    const fault = new Error('a secret');
    sqlite.missingBlobs = () => Promise.reject(fault);
    const digest = 'sha1-AAAAAAAAAAAAAAAAAAAAAAAAAAA=';
    await expect(storage.missingBlobs('faulty', [digest])).rejects.toMatchObject({
      code: 'internal',
      message: expect.not.stringContaining('secret'),
    });
    expect(reports).toEqual([fault]);
    storage.close();
    await app.close();
    await bus.close();
    await sqlite.close();
    rmSync(folder, { recursive: true });
  });
});

async function startMicroservice(
  strategy: BusStrategy,
  sqlite: SqliteStorage,
): Promise<{ readonly strategy: BusStrategy; readonly close: () => Promise<void> }> {
  const providers = [{ provide: SqliteStorage, useValue: sqlite }];
  const module = { module: class StorageOnly {}, controllers: [StorageController], providers };
  const app = await NestFactory.createMicroservice(module, { strategy, logger: false });
  await app.listen();
  return { strategy, close: () => app.close() };
}

/** A new database in a temporary directory, served by a Nest microservice, whose caller is in the same process. */
async function openMicroservice({
  database,
  collections,
  indexes,
  startSeconds,
}: StorageSetup): Promise<StorageUnderTest & { readonly storage: NatsStorage }> {
  const directory = mkdtempSync(join(tmpdir(), 'edgesync-'));
  let milliseconds = startSeconds * 1_000;
  const serverBus = await Bus.connect({ servers: nats.url, name: 'storage' });
  const clientBus = await Bus.connect({ servers: nats.url, name: 'gateway' });
  const sqlite = new SqliteStorage();
  const app = await startMicroservice(new BusStrategy(serverBus, sqlite, () => {}), sqlite);
  let opened: SqliteDatabase;
  const start = async (): Promise<void> => {
    const path = join(directory, `${database}.cblite2`);
    const options = {
      collections,
      ...(indexes && { indexes }),
      create: true,
      keepSuperseded: true,
      now: () => milliseconds,
    };
    opened = await sqlite.openDatabase({ name: database, path, ...options });
    await app.strategy.serve(database, () => true);
  };
  await start();
  const storage = new NatsStorage(clientBus, { databases: [database] });
  return {
    storage,
    advance: (seconds) => {
      milliseconds += seconds * 1_000;
    },
    sweep: () => opened.sweep(),
    reopen: async () => {
      await app.strategy.withdraw(database);
      await sqlite.closeDatabase(database);
      await start();
    },
    close: async () => {
      storage.close();
      await app.close();
      await sqlite.close();
      await clientBus.close();
      await serverBus.close();
      rmSync(directory, { recursive: true, force: true });
    },
  };
}
