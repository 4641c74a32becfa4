import { Inject, Injectable } from '@nestjs/common';
import { AccessPolicy, type Permission, type Principal } from '@edgesync/access';
import type { DatabaseConfig, EdgeConfig } from '@edgesync/config';
import { parseKeyspace, type Keyspace } from '@edgesync/document';
import { EdgeError } from '@edgesync/errors';
import { EDGE_CONFIG, STORAGE } from '@edgesync/platform';
import type { Storage } from '@edgesync/ports';
import { MAX_KNOWN_KEYSPACES } from '../tuning.js';

/** A keyspace as a URL names it, and its database's configuration. */
export interface NamedKeyspace {
  readonly keyspace: Keyspace;
  readonly database: DatabaseConfig;
}

/** The same where the database may not exist. */
type ReadKeyspace = Omit<NamedKeyspace, 'database'> & Partial<NamedKeyspace>;

/** Resolves the first path component, for users who may know what it names. */
@Injectable()
export class Keyspaces {
  private readonly named = new Map<string, NamedKeyspace>();
  private readonly existing = new Set<Keyspace>();

  constructor(
    @Inject(EDGE_CONFIG) private readonly config: EdgeConfig,
    @Inject(STORAGE) private readonly storage: Storage,
    @Inject(AccessPolicy) private readonly access: AccessPolicy,
  ) {}

  /**
   * Reads the name of a collection, and lets those pass who have the needed right. Whether the collection exists is
   * another question ({@link check}). The same text gives the same object every time.
   * @throws EdgeError `keyspace.invalid`, `access.denied`, and only for those who may know, `keyspace.unknown`
   */
  collection(text: string, principal: Principal, needed: Permission | 'any'): NamedKeyspace {
    const named = this.read(text);
    this.access.check(principal, named.keyspace, needed);
    return known(named);
  }

  /**
   * Reads the name of a database, and lets those pass who have some right in it.
   * @throws EdgeError like {@link collection}
   */
  database(text: string, principal: Principal): NamedKeyspace {
    const named = this.read(text);
    this.access.checkDatabase(principal, named.keyspace.database);
    return known(named);
  }

  /**
   * Whether the collection is served: at once if that is known already. Storage refuses an unknown collection by
   * itself; this is for saying so before anything else about a request.
   * @throws EdgeError `keyspace.unknown`, `storage.*`
   */
  check(keyspace: Keyspace): true | Promise<true> {
    return this.existing.has(keyspace) || this.ask(keyspace);
  }

  private read(text: string): ReadKeyspace {
    const remembered = this.named.get(text);
    if (remembered) return remembered;
    // Names that start with an underscore are endpoints, served or not (docs/protocol/rest.md#keyspaces).
    if (text.startsWith('_')) throw new EdgeError('request.path');
    const keyspace = parseKeyspace(text);
    const database = this.config.databases.get(keyspace.database);
    if (!database) return { keyspace };
    const named = { keyspace, database };
    if (this.named.size < MAX_KNOWN_KEYSPACES) this.named.set(text, named);
    return named;
  }

  private async ask(keyspace: Keyspace): Promise<true> {
    await this.storage.collection(keyspace);
    if (this.existing.size < MAX_KNOWN_KEYSPACES) this.existing.add(keyspace);
    return true;
  }
}

function known(named: ReadKeyspace): NamedKeyspace {
  if (!named.database) throw new EdgeError('keyspace.unknown', `no database ${named.keyspace.database}`);
  return named as NamedKeyspace;
}
