import { randomBytes } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import type { EdgeConfig, Users } from '@edgesync/config';
import { Authenticator } from './authenticator.js';

/** The authenticator of this process. */
export function createAuthenticator(config: EdgeConfig, users: Users): Authenticator {
  return new Authenticator({
    users,
    enableAnonymousUsers: config.enableAnonymousUsers,
    key: randomBytes(32).toString('hex'),
    now: () => performance.now(),
    sleep: (milliseconds) => sleep(milliseconds, undefined, { ref: false }),
  });
}
