import { Inject, Injectable } from '@nestjs/common';
import { AccessPolicy, type Principal } from '@edgesync/access';
import { isDefaultCollection, type CollectionName, type Keyspace } from '@edgesync/document';
import { isEdgeError } from '@edgesync/errors';
import { STORAGE } from '@edgesync/platform';
import type { Storage } from '@edgesync/ports';
import { prepare, statementCollections } from '@edgesync/query';

const DEFAULT: CollectionName = { scope: '_default', collection: '_default' };

/** The collections that statements read, and whether a user may read them. */
@Injectable()
export class StatementRights {
  constructor(
    @Inject(STORAGE) private readonly storage: Storage,
    @Inject(AccessPolicy) private readonly access: AccessPolicy,
  ) {}

  /**
   * The collections that a statement reads. They need not exist: storage says so when it runs the statement, after
   * rights have been checked.
   * @throws QueryError if it is no statement; EdgeError `storage.*`
   */
  async collections(keyspace: Keyspace, statement: string): Promise<Keyspace[]> {
    const { database } = keyspace;
    const prepared = prepare(statement, { database, keyspace, collections: 'any', fullTextIndexes: () => 'any' });
    const found = statementCollections(prepared).map(({ scope, collection }) => ({ database, scope, collection }));
    return Promise.all(found.map((name) => this.meant(name)));
  }

  /**
   * Lets an ad hoc statement pass if the user may read every collection of it.
   * @throws EdgeError `access.denied`, and as {@link collections}
   */
  async check(principal: Principal, keyspace: Keyspace, statement: string): Promise<void> {
    if (!this.access.isEnforced(keyspace.database)) return;
    for (const collection of await this.collections(keyspace, statement))
      this.access.check(principal, collection, 'read');
  }

  /** The database's own name means the default collection, unless there is a collection of that name. */
  private async meant(name: Keyspace): Promise<Keyspace> {
    if (name.collection !== name.database || name.scope !== DEFAULT.scope || isDefaultCollection(name)) return name;
    try {
      await this.storage.collection(name);
      return name;
    } catch (error) {
      if (isEdgeError(error, 'keyspace.unknown')) return { ...name, ...DEFAULT };
      throw error;
    }
  }
}
