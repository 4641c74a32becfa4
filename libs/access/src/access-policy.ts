import { EdgeError } from '@edgesync/errors';
import type { Keyspace } from '@edgesync/document';
import { rightsOn, type Permission, type Rights } from './keyspace-pattern.js';
import { hasRole, type Principal } from './principal.js';

/** Whether access rules are enforced, as the configuration says. */
export interface Enforcement {
  /** For databases that the map does not name: those without a switch of their own, and those that do not exist. */
  readonly byDefault: boolean;
  /** For each configured database. */
  readonly databases: ReadonlyMap<string, boolean>;
}

const ALL: Rights = Object.freeze({ read: true, write: true });
const NONE: Rights = Object.freeze({ read: false, write: false });

/**
 * Decides who may do what, for REST and sync alike (docs/protocol/edge-server.md#access-rules). Where access control is
 * off everybody may do everything. Each question about a principal and a keyspace is worked out once and remembered for
 * as long as both objects live.
 */
export class AccessPolicy {
  private readonly decided = new WeakMap<Principal, WeakMap<Keyspace, Rights>>();
  /** Whether any rule of the users file can matter. */
  readonly enforcedSomewhere: boolean;

  constructor(private readonly enforcement: Enforcement) {
    this.enforcedSomewhere = enforcement.byDefault || [...enforcement.databases.values()].includes(true);
  }

  /**
   * Whether rules hold in the database. One that does not exist is treated like an enforced one if there is any:
   * otherwise the answer would reveal which databases exist.
   */
  isEnforced(database: string): boolean {
    return this.enforcement.databases.get(database) ?? this.enforcedSomewhere;
  }

  /** Rights of the principal on the collection, which need not exist. */
  rightsOn(principal: Principal, keyspace: Keyspace): Rights {
    if (!this.isEnforced(keyspace.database)) return ALL;
    let byKeyspace = this.decided.get(principal);
    if (!byKeyspace) this.decided.set(principal, (byKeyspace = new WeakMap()));
    let rights = byKeyspace.get(keyspace);
    if (!rights) byKeyspace.set(keyspace, (rights = this.decide(principal, keyspace)));
    return rights;
  }

  /**
   * Lets an operation on a collection pass, or refuses it. Ask this before asking whether the collection exists: a
   * name that no rule covers is refused in the same words whether it stands for something or not
   * (docs/protocol/edge-server.md#what-a-request-needs).
   * @throws EdgeError `access.denied`
   */
  check(principal: Principal, keyspace: Keyspace, needed: Permission | 'any'): void {
    const allowed = needed === 'any' ? this.maySee(principal, keyspace) : this.rightsOn(principal, keyspace)[needed];
    if (!allowed) throw denied(needed);
  }

  /**
   * Admits users with some right in the database.
   * @throws EdgeError `access.denied`
   */
  checkDatabase(principal: Principal, database: string): void {
    if (!this.maySeeDatabase(principal, database)) throw denied('any');
  }

  /** Whether the principal may do anything at all with the collection, and so may see it in a listing. */
  maySee(principal: Principal, keyspace: Keyspace): boolean {
    const { read, write } = this.rightsOn(principal, keyspace);
    return read || write;
  }

  /**
   * Whether the principal has some right in the database, and so may see its name
   * (docs/protocol/edge-server.md#what-a-request-needs).
   */
  maySeeDatabase(principal: Principal, database: string): boolean {
    return this.hasSome(principal, database, ({ read, write }) => read || write);
  }

  /**
   * Whether there may be a collection of the database that the principal can read: what sync asks for at least
   * (docs/protocol/edge-server.md#rights-in-sync).
   */
  mayReadSome(principal: Principal, database: string): boolean {
    return this.hasSome(principal, database, ({ read }) => read);
  }

  private decide(principal: Principal, keyspace: Keyspace): Rights {
    return this.rightsEverywhere(principal, keyspace.database) ?? rightsOn(principal.access!, keyspace);
  }

  private hasSome(principal: Principal, database: string, test: (rights: Rights) => boolean): boolean {
    const general = this.rightsEverywhere(principal, database);
    if (general) return test(general);
    return principal.access!.some(
      (rule) => (rule.pattern.database === undefined || rule.pattern.database === database) && test(rule),
    );
  }

  /**
   * The rights that hold for the whole database; undefined if the principal's rules decide
   * (docs/protocol/edge-server.md#access-rules).
   */
  private rightsEverywhere(principal: Principal, database: string): Rights | undefined {
    if (!this.isEnforced(database) || hasRole(principal, 'admin')) return ALL;
    if (principal.anonymous) return NONE;
    return principal.access ? undefined : ALL;
  }
}

/** The missing right, without a word about what exists: the same for every name. */
const MISSING: Readonly<Record<Permission | 'any', string>> = {
  read: 'forbidden: the right to read this keyspace is missing',
  write: 'forbidden: the right to write this keyspace is missing',
  any: 'forbidden: any right in this keyspace is missing',
};

const denied = (needed: Permission | 'any'): EdgeError => new EdgeError('access.denied', MISSING[needed]);
