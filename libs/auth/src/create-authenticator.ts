import { randomBytes } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import type { EdgeConfig, Users } from '@edgesync/config';
import { Authenticator, type AuthenticatorOptions } from './authenticator.js';
import { ObservedAuthenticator, type AuthenticationObserver } from './observed-authenticator.js';

/** The authenticator of this process. */
export function createAuthenticator(
  config: EdgeConfig,
  users: Users,
  observer?: AuthenticationObserver,
): Authenticator {
  const options: AuthenticatorOptions = {
    users,
    enableAnonymousUsers: config.enableAnonymousUsers,
    key: randomBytes(32).toString('hex'),
    now: () => performance.now(),
    sleep: (milliseconds) => sleep(milliseconds, undefined, { ref: false }),
  };
  return observer ? new ObservedAuthenticator(options, observer) : new Authenticator(options);
}
