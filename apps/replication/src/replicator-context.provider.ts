import { createHash, randomBytes } from 'node:crypto';
import { systemScheduler } from '@edgesync/async';
import type { FactoryProvider } from '@nestjs/common';
import { Subscriptions } from '@edgesync/change-feed';
import { LOGGERS, STORAGE, type Loggers } from '@edgesync/platform';
import type { Storage } from '@edgesync/ports';
import { ReplicatorContext, type Sha1 } from '@edgesync/replicator';

function createSha1(): Sha1 {
  const hash = createHash('sha1');
  return { update: (bytes) => void hash.update(bytes), digestBase64: () => hash.digest('base64') };
}

/** Time, randomness, hashing and the log, for the engine that has none of them. */
export const replicatorContextProvider: FactoryProvider<ReplicatorContext> = {
  provide: ReplicatorContext,
  inject: [STORAGE, LOGGERS],
  useFactory: (storage: Storage, loggers: Loggers) => {
    const log = loggers.domain('Sync');
    return new ReplicatorContext({
      storage,
      feeds: new Subscriptions(storage, systemScheduler),
      scheduler: systemScheduler,
      createSha1,
      randomBytes: (count) => randomBytes(count),
      now: Date.now,
      uptime: () => performance.now(),
      nextTurn: setImmediate,
      log: {
        info: (message) => log.info(message),
        warn: (message) => log.warning(message),
        error: (message, error) => log.error(message, error),
      },
    });
  },
};
