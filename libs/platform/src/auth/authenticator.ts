import { ANONYMOUS, type Principal } from '@edgesync/access';
import type { UserEntry, Users } from '@edgesync/config';
import { EdgeError } from '@edgesync/errors';
import { parseBasic } from './basic-credentials.js';
import { FairLimiter } from './fair-limiter.js';
import { GuessThrottle } from './guess-throttle.js';
import { keyedDigest } from './keyed-digest.js';
import { costOf, unmatchableHash, verifyPassword } from './password-hash.js';

export interface AuthenticatorOptions {
  readonly users: Users;
  readonly enableAnonymousUsers: boolean;
  /** 64 random hex digits, new in every process: the key of the digests that stand for verified passwords. */
  readonly key: string;
  /** Milliseconds of a steady clock. */
  readonly now: () => number;
  readonly sleep: (milliseconds: number) => Promise<unknown>;
  readonly verify?: typeof verifyPassword;
}

/** bcrypt runs in the thread pool, which files and compression need too. */
const CONCURRENT_VERIFICATIONS = 2;
const WAITING_PER_ADDRESS = 32;
const WAITING_VERIFICATIONS = 1_024;
/** Attempts that may be held back at once by the throttle. */
const MAX_SLEEPING = 1_024;

interface KnownUser {
  readonly hash: string;
  readonly principal: Principal;
  /** Digest of name, hash and the password that was last verified. */
  verified?: string;
}

/**
 * Tells who sends a request from its `Authorization` header (ref 4).
 *
 * A password is verified with bcrypt once and then recognised by a keyed digest; it is never kept. An unknown user
 * costs the same time as a known one and fails with the same error. Guessers are slowed down without slowing others.
 */
export class Authenticator {
  private readonly known = new Map<string, KnownUser>();
  private readonly costs: readonly number[];
  private readonly digest: (text: string) => string;
  private readonly verify: typeof verifyPassword;
  private readonly throttle = new GuessThrottle();
  private readonly limiter = new FairLimiter({
    concurrency: CONCURRENT_VERIFICATIONS,
    waitingPerParty: WAITING_PER_ADDRESS,
    waiting: WAITING_VERIFICATIONS,
  });
  /** Verifications under way, by digest: a client that opens many connections at once is verified once. */
  private readonly underWay = new Map<string, Promise<Principal>>();
  private sleeping = 0;

  constructor(private readonly options: AuthenticatorOptions) {
    for (const user of options.users.values())
      if (user.passwordHash !== undefined)
        this.known.set(user.name, { hash: user.passwordHash, principal: principalOf(user) });
    this.costs = this.known.size > 0 ? [...this.known.values()].map(({ hash }) => costOf(hash)) : [5];
    this.digest = keyedDigest(options.key);
    this.verify = options.verify ?? verifyPassword;
  }

  /**
   * Answers at once, without a promise, for anonymous requests and for passwords verified before.
   * @param authorization the `Authorization` header
   * @param address the peer's IP address, without its port
   * @throws EdgeError `auth.required` (also as a rejection), `auth.throttled` (as a rejection)
   */
  authenticate(authorization: string | undefined, address: string): Principal | Promise<Principal> {
    if (authorization === undefined) {
      if (this.options.enableAnonymousUsers) return ANONYMOUS;
      throw new EdgeError('auth.required');
    }
    const credentials = parseBasic(authorization);
    if (!credentials) throw new EdgeError('auth.required');
    const { name, password } = credentials;
    const user = this.known.get(name);
    const digest = this.digest(`${name}\0${user?.hash ?? ''}\0${password}`);
    // Comparing digests under a secret key with === tells a guesser nothing: its input does not determine them.
    if (user !== undefined && user.verified === digest) return user.principal;
    return this.verifyOnce(`${address}\0${digest}`, digest, address, name, password, user);
  }

  private verifyOnce(
    attempt: string,
    digest: string,
    address: string,
    name: string,
    password: string,
    user: KnownUser | undefined,
  ): Promise<Principal> {
    const existing = this.underWay.get(attempt);
    if (existing) return existing;
    const verification = this.verifyPassword(address, name, password, user)
      .then((principal) => {
        user!.verified = digest;
        return principal;
      })
      .finally(() => this.underWay.delete(attempt));
    this.underWay.set(attempt, verification);
    return verification;
  }

  private async verifyPassword(address: string, name: string, password: string, user?: KnownUser): Promise<Principal> {
    const key = `${address}\0${name}`;
    await this.waitForTurn(key);
    const hash = user?.hash ?? unmatchableHash(this.costFor(name));
    const matches = await this.limiter.run(address, () => this.verify(password, hash));
    if (!matches || !user) throw new EdgeError('auth.required');
    this.throttle.succeeded(key);
    return user.principal;
  }

  private async waitForTurn(key: string): Promise<void> {
    const delay = this.throttle.begin(key, this.options.now());
    if (delay === 0) return;
    if (delay === undefined || this.sleeping >= MAX_SLEEPING) throw new EdgeError('auth.throttled');
    this.sleeping++;
    try {
      await this.options.sleep(delay);
    } finally {
      this.sleeping--;
    }
  }

  /** The cost of an unknown name: that of some user, always the same one, so that its time tells nothing. */
  private costFor(name: string): number {
    return this.costs[Buffer.from(this.digest(name), 'base64').readUInt32BE() % this.costs.length]!;
  }
}

function principalOf(user: UserEntry): Principal {
  return { name: user.name, anonymous: false, roles: user.roles, ...(user.access && { access: user.access }) };
}
