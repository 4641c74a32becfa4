import { describeQueryContract, describeStorageContract } from '@edgesync/ports/testing';
import { startNatsServer, type NatsServer } from '@edgesync/test-kit';
import { afterAll, beforeAll } from 'vitest';
import { openSplitStorage } from './testing/split-storage.js';

let nats: NatsServer;
beforeAll(async () => {
  nats = await startNatsServer();
});
afterAll(() => nats.dispose());

describeStorageContract('SQLite through NATS', (setup) => openSplitStorage(nats.url, setup));
describeQueryContract('SQLite through NATS', (setup) => openSplitStorage(nats.url, setup));
