import 'reflect-metadata';
import type { LoggerService } from '@nestjs/common';
import { NestFactory } from '@nestjs/core';
import { FastifyAdapter, type NestFastifyApplication } from '@nestjs/platform-fastify';
import { BusStrategy } from './bus.strategy.js';
import { StorageServiceModule, type StorageServiceParts } from './storage-service.module.js';

/**
 * Makes the storage service: a microservice on the bus that also has a port, for monitoring. It serves databases once it
 * listens there.
 * @param logger where Nest writes to
 */
export async function createStorageService(
  parts: StorageServiceParts,
  logger: LoggerService | false,
): Promise<NestFastifyApplication> {
  const app = await NestFactory.create<NestFastifyApplication>(
    StorageServiceModule.register(parts),
    new FastifyAdapter(),
    { logger, abortOnError: false },
  );
  app.connectMicroservice({ strategy: app.get(BusStrategy) });
  await app.startAllMicroservices();
  return app;
}
