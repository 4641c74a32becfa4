import type { AddressInfo } from 'node:net';
import { NestFactory } from '@nestjs/core';
import type { NestFastifyApplication } from '@nestjs/platform-fastify';
import 'reflect-metadata';
import {
  ACTIVE_TASKS,
  ActiveTasks,
  AUDIT_LOG,
  AUTHENTICATOR,
  EDGE_CONFIG,
  LOGGERS,
  METRICS,
  REPLICATION_CONTROL,
  STORAGE,
} from '@edgesync/platform';
import { SqliteStorage } from '@edgesync/storage-sqlite';
import { createHttpAdapter, GatewayModule } from '../index.js';
import { gatewayParts, provide } from './gateway-parts.js';
import type { TestGateway, TestGatewayOptions } from './test-gateway.js';

/** The gateway of the all-in-one, with its storage in this process. */
export async function startAllInOne(options: TestGatewayOptions): Promise<TestGateway> {
  const parts = gatewayParts(options);
  const { config, log, events, now, advance } = parts;
  const storage = new SqliteStorage();
  for (const { name, path, create, collections, queryLimits, indexes } of config.databases.values())
    await storage.openDatabase({
      name,
      path,
      create,
      ...(collections && { collections }),
      queryLimits,
      ...(indexes && { indexes }),
      now,
    });
  const provided = {
    [STORAGE]: options.wrap ? options.wrap(storage) : storage,
    [EDGE_CONFIG]: config,
    [AUTHENTICATOR]: parts.authenticator,
    [LOGGERS]: parts.loggers,
    [AUDIT_LOG]: parts.audit,
    [METRICS]: parts.metrics,
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
    withoutSync: 404,
    storage,
    log,
    audit: events,
    advance,
    async [Symbol.asyncDispose]() {
      await app.close();
      await storage.close();
      parts[Symbol.dispose]();
    },
  };
}
