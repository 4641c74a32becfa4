import type { Principal } from '@edgesync/access';
import { isEdgeError } from '@edgesync/errors';
import { Authenticator, type AuthenticatorOptions } from './authenticator.js';
import { parseBasic } from './basic-credentials.js';

/** Receives the outcome of authentications. Requests that are welcome without credentials do not count. */
export interface AuthenticationObserver {
  /** @param cached whether the credentials were recognised from an earlier request, without a password check */
  accepted(user: string | undefined, address: string, cached: boolean): void;
  /** @param claimed the name in the credentials, if they could be read */
  refused(claimed: string | undefined, address: string, status: number): void;
}

/** An authenticator that reports every outcome to an observer. */
export class ObservedAuthenticator extends Authenticator {
  constructor(
    options: AuthenticatorOptions,
    private readonly observer: AuthenticationObserver,
  ) {
    super(options);
  }

  override authenticate(
    ...request: Parameters<Authenticator['authenticate']>
  ): ReturnType<Authenticator['authenticate']> {
    const [authorization, address] = request;
    try {
      const principal = super.authenticate(...request);
      if (!(principal instanceof Promise)) return this.accept(principal, address, true);
      return principal.then(
        (checked) => this.accept(checked, address, false),
        (error: unknown) => this.refuse(error, authorization, address),
      );
    } catch (error) {
      return this.refuse(error, authorization, address);
    }
  }

  private accept(principal: Principal, address: string, cached: boolean): Principal {
    if (!principal.anonymous) this.observer.accepted(principal.name, address, cached);
    return principal;
  }

  private refuse(error: unknown, authorization: string | undefined, address: string): never {
    if (isEdgeError(error)) {
      const claimed = authorization === undefined ? undefined : parseBasic(authorization)?.name;
      this.observer.refused(claimed, address, error.status);
    }
    throw error;
  }
}
