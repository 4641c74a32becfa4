import QuickLRU from 'quick-lru';
import type { Principal } from '@edgesync/access';
import type { UserEntry, Users } from '@edgesync/config';

/** Remembered bearers of certificates who have no entry in the users file; the oldest is forgotten. */
const MAX_STRANGERS = 10_000;

/** A user for as long as nothing about them changes. A changed user is a new account. */
export class Account {
  /** Digest of name, hash and the password that was last verified. */
  verified?: string;
  private readonly watchers = new Set<() => void>();
  private ended = false;

  constructor(
    readonly principal: Principal,
    /** bcrypt hash. Absent: the user comes with a client certificate only. */
    readonly hash?: string,
    private readonly entry?: UserEntry,
  ) {}

  get isCurrent(): boolean {
    return !this.ended;
  }

  /** Whether the entry of the users file says what this account is. */
  isAsIn(entry: UserEntry): boolean {
    return this.entry !== undefined && fingerprint(this.entry) === fingerprint(entry);
  }

  /** Calls `onEnd` once, when the account ends; at once if it has ended. @returns stops watching */
  watch(onEnd: () => void): () => void {
    if (this.ended) onEnd();
    else this.watchers.add(onEnd);
    return () => void this.watchers.delete(onEnd);
  }

  end(): void {
    this.ended = true;
    for (const onEnd of this.watchers) onEnd();
    this.watchers.clear();
  }
}

/** All accounts. The users file can be replaced while the server runs. */
export class Accounts {
  private users = new Map<string, Account>();
  private readonly strangers = new QuickLRU<string, Account>({ maxSize: MAX_STRANGERS });
  private readonly byPrincipal = new WeakMap<Principal, Account>();

  constructor(users: Users) {
    this.replace(users);
  }

  [Symbol.iterator](): Iterator<Account> {
    return this.users.values();
  }

  find(name: string): Account | undefined {
    return this.users.get(name);
  }

  /**
   * The account of the holder of a certificate in this name. Without an entry in the users file it has no role, and no
   * right where rules are enforced (docs/protocol/edge-server.md#client-certificates).
   */
  certified(name: string): Account {
    const known = this.users.get(name) ?? this.strangers.get(name);
    if (known) return known;
    const stranger = this.register(new Account({ name, anonymous: false, roles: new Set(), access: [] }));
    this.strangers.set(name, stranger);
    return stranger;
  }

  /**
   * Takes other users. Those whose entry says the same as before stay the same account; the others end, and come back
   * as a new account if they still have an entry.
   * @returns how many accounts ended
   */
  replace(users: Users): number {
    const previous = this.users;
    this.users = new Map();
    const ended: Account[] = [];
    for (const entry of users.values()) {
      const old = previous.get(entry.name);
      this.users.set(entry.name, old?.isAsIn(entry) ? old : this.accountOf(entry, old));
      const stranger = this.strangers.get(entry.name);
      if (stranger && this.strangers.delete(entry.name)) ended.push(stranger);
    }
    for (const [name, account] of previous) if (this.users.get(name) !== account) ended.push(account);
    // Only now, when those who are sent away cannot come back under the old entry.
    for (const account of ended) account.end();
    return ended.length;
  }

  /** Calls `onEnd` once, when the principal's account ends (see {@link Account.watch}). Anonymous never ends. */
  watch(principal: Principal, onEnd: () => void): () => void {
    return this.byPrincipal.get(principal)?.watch(onEnd) ?? (() => {});
  }

  private accountOf(entry: UserEntry, previous: Account | undefined): Account {
    const account = this.register(new Account(principalOf(entry), entry.passwordHash, entry));
    // The password is the same, so it need not be verified again.
    if (previous?.hash === account.hash && previous?.verified !== undefined) account.verified = previous.verified;
    return account;
  }

  private register(account: Account): Account {
    this.byPrincipal.set(account.principal, account);
    return account;
  }
}

function principalOf(user: UserEntry): Principal {
  return { name: user.name, anonymous: false, roles: user.roles, ...(user.access && { access: user.access }) };
}

/** Equal for entries that mean the same, whatever the order of their members in the file. */
function fingerprint({ passwordHash, roles, access }: UserEntry): string {
  const rules = access?.map(({ pattern: { database, scope, collection }, read, write }) =>
    JSON.stringify([database ?? '*', scope ?? '*', collection ?? '*', read, write]),
  );
  return JSON.stringify([passwordHash ?? '', [...roles].sort(), rules?.sort() ?? null]);
}
