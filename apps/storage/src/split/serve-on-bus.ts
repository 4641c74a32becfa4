import type { INestApplication } from '@nestjs/common';
import { BusStrategy } from './bus.strategy.js';

/** Makes the storage service, which has a port for monitoring, a microservice on the bus as well. */
export async function serveOnBus(app: INestApplication): Promise<void> {
  app.connectMicroservice({ strategy: app.get(BusStrategy) });
  await app.startAllMicroservices();
}
