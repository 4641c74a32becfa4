import { Semaphore } from '@edgesync/async';
import { ANONYMOUS, type Principal } from '@edgesync/access';
import type { Users } from '@edgesync/config';
import { EdgeError, isEdgeError } from '@edgesync/errors';
import { Accounts, type Account } from './accounts.js';
import { parseBasic } from './basic-credentials.js';
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

/**
 * Identifies the sender of a request by its `Authorization` header and its client certificate
 * (docs/protocol/edge-server.md#authentication).
 *
 * A password is verified with bcrypt once and then recognised by a keyed digest; it is never kept. An unknown user
 * costs the same time as a known one and fails with the same error. Guessers are slowed down without slowing others.
 */
export class Authenticator {
  private readonly accounts: Accounts;
  private costs: readonly number[];
  private readonly digest: (text: string) => string;
  private readonly verify: typeof verifyPassword;
  private readonly throttle = new GuessThrottle();
  private readonly limiter = new Semaphore({
    running: CONCURRENT_VERIFICATIONS,
    waitingPerParty: WAITING_PER_ADDRESS,
    waiting: WAITING_VERIFICATIONS,
    refusal: 'auth.throttled',
  });
  /** Verifications under way, by digest: a client that opens many connections at once is verified once. */
  private readonly underWay = new Map<string, Promise<Account>>();
  private sleeping = 0;

  constructor(private readonly options: AuthenticatorOptions) {
    this.accounts = new Accounts(options.users);
    this.costs = costsOf(this.accounts);
    this.digest = keyedDigest(options.key);
    this.verify = options.verify ?? verifyPassword;
  }

  /**
   * Answers at once, without a promise, for anonymous requests, certificates, and passwords verified before. Of a
   * password and a certificate that both prove somebody, the password counts
   * (docs/protocol/edge-server.md#client-certificates).
   * @param authorization the `Authorization` header
   * @param address the peer's IP address, without its port
   * @param certified the name that a verified client certificate gives the peer
   * @throws EdgeError `auth.required` (also as a rejection), `auth.throttled` (as a rejection)
   */
  authenticate(authorization: string | undefined, address: string, certified?: string): Principal | Promise<Principal> {
    if (authorization === undefined) {
      if (certified !== undefined) return this.accounts.certified(certified).principal;
      if (this.options.enableAnonymousUsers) return ANONYMOUS;
      throw new EdgeError('auth.required');
    }
    if (certified === undefined) return this.byPassword(authorization, address);
    const orByCertificate = (error: unknown): Principal => {
      if (!isEdgeError(error)) throw error;
      return this.accounts.certified(certified).principal;
    };
    try {
      const principal = this.byPassword(authorization, address);
      return principal instanceof Promise ? principal.catch(orByCertificate) : principal;
    } catch (error) {
      return orByCertificate(error);
    }
  }

  /**
   * Takes the users of a changed users file.
   * @returns how many accounts ended: those of users who are gone, or who have another password, other roles or rules
   */
  replaceUsers(users: Users): number {
    const ended = this.accounts.replace(users);
    this.costs = costsOf(this.accounts);
    return ended;
  }

  /**
   * For whatever outlives the request that it came with, such as a sync session or a feed: calls `onEnd` once, as soon
   * as a request like that would be authenticated as somebody else or nobody; at once if that is so already.
   * @returns stops watching
   */
  watch(principal: Principal, onEnd: () => void): () => void {
    return this.accounts.watch(principal, onEnd);
  }

  private byPassword(authorization: string, address: string): Principal | Promise<Principal> {
    const credentials = parseBasic(authorization);
    if (!credentials) throw new EdgeError('auth.required');
    const { name, password } = credentials;
    const found = this.accounts.find(name);
    const account = found?.hash === undefined ? undefined : found;
    const digest = this.digest(`${name}\0${account?.hash ?? ''}\0${password}`);
    // Comparing digests under a secret key with === reveals nothing to a guesser: its input does not determine them.
    if (account !== undefined && account.verified === digest) return account.principal;
    return this.verifyOnce(digest, address, name, password, account).then((verified) =>
      // The users file may have changed while the password was checked.
      verified.isCurrent ? verified.principal : this.byPassword(authorization, address),
    );
  }

  private verifyOnce(
    digest: string,
    address: string,
    name: string,
    password: string,
    account: Account | undefined,
  ): Promise<Account> {
    const attempt = `${address}\0${digest}`;
    const existing = this.underWay.get(attempt);
    if (existing) return existing;
    const verification = this.verifyPassword(address, name, password, account)
      .then((verified) => {
        verified.verified = digest;
        return verified;
      })
      .finally(() => this.underWay.delete(attempt));
    this.underWay.set(attempt, verification);
    return verification;
  }

  private async verifyPassword(address: string, name: string, password: string, account?: Account): Promise<Account> {
    const key = `${address}\0${name}`;
    await this.waitForTurn(key);
    const hash = account?.hash ?? unmatchableHash(this.costFor(name));
    const matches = await this.limiter.run(() => this.verify(password, hash), { party: address });
    if (!matches || !account) throw new EdgeError('auth.required');
    this.throttle.succeeded(key);
    return account;
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

  /** The cost of an unknown name: that of some user, always the same one, so that its time reveals nothing. */
  private costFor(name: string): number {
    return this.costs[Buffer.from(this.digest(name), 'base64').readUInt32BE() % this.costs.length]!;
  }
}

/** The costs of all hashes. */
function costsOf(accounts: Iterable<Account>): number[] {
  const costs = [...accounts].flatMap(({ hash }) => (hash === undefined ? [] : [costOf(hash)]));
  return costs.length > 0 ? costs : [5];
}
