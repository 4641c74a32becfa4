import { Inject, Injectable } from '@nestjs/common';
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

/** Resolves the first path component. */
@Injectable()
export class Keyspaces {
  private readonly named = new Map<string, NamedKeyspace>();
  private readonly existing = new Set<Keyspace>();

  constructor(
    @Inject(EDGE_CONFIG) private readonly config: EdgeConfig,
    @Inject(STORAGE) private readonly storage: Storage,
  ) {}

  /**
   * Reads a keyspace and finds its database. Whether the collection exists is another question ({@link check}).
   * The same text gives the same object every time.
   * @throws EdgeError `keyspace.invalid`, `keyspace.unknown`
   */
  resolve(text: string): NamedKeyspace {
    const known = this.named.get(text);
    if (known) return known;
    // Names that start with an underscore are endpoints, served or not (ref 2).
    if (text.startsWith('_')) throw new EdgeError('request.path');
    const keyspace = parseKeyspace(text);
    const database = this.config.databases.get(keyspace.database);
    if (!database) throw new EdgeError('keyspace.unknown', `no database ${keyspace.database}`);
    const named = { keyspace, database };
    if (this.named.size < MAX_KNOWN_KEYSPACES) this.named.set(text, named);
    return named;
  }

  /**
   * Whether the collection is served: at once if that is known already. Storage refuses an unknown collection by
   * itself; this is for telling so before anything else about a request.
   * @throws EdgeError `keyspace.unknown`, `storage.*`
   */
  check(keyspace: Keyspace): true | Promise<true> {
    return this.existing.has(keyspace) || this.ask(keyspace);
  }

  private async ask(keyspace: Keyspace): Promise<true> {
    await this.storage.collection(keyspace);
    if (this.existing.size < MAX_KNOWN_KEYSPACES) this.existing.add(keyspace);
    return true;
  }
}
