import { Controller, Get, Inject, Req } from '@nestjs/common';
import { AccessPolicy, type Principal } from '@edgesync/access';
import { formatCollection } from '@edgesync/document';
import { STORAGE } from '@edgesync/platform';
import type { DatabaseInfo, Storage } from '@edgesync/ports';
import type { GatewayRequest } from '../http/gateway-request.js';
import { RequestAudit } from '../http/request-audit.js';
import { Reply } from '../http/reply.js';
import { Endpoint } from '../openapi/endpoint.decorator.js';
import { databaseTag } from './collection-tags.js';
import { Keyspaces, type NamedKeyspace } from './keyspaces.js';

/** Information about a database or a collection (docs/protocol/rest.md#keyspace-information). */
@Controller()
export class KeyspaceController {
  constructor(
    @Inject(Keyspaces) private readonly keyspaces: Keyspaces,
    @Inject(STORAGE) private readonly storage: Storage,
    @Inject(RequestAudit) private readonly audit: RequestAudit,
    @Inject(AccessPolicy) private readonly access: AccessPolicy,
  ) {}

  @Get(':keyspace')
  @Endpoint({
    tag: 'Keyspaces',
    summary: 'Describe a database or a collection',
    description:
      'The bare name of a database lists its collections, as far as the user may read or write them. Documents that are deleted or expired do not count.',
    tagged: true,
    replies: { 200: { description: 'The description.', content: ['DatabaseInfo', 'CollectionInfo'] } },
    errors: { 400: 'The name is malformed.', 404: 'There is no such database or collection.' },
  })
  async getKeyspace(@Req() request: GatewayRequest): Promise<Reply> {
    const text = request.params['keyspace']!;
    const { principal } = request;
    const isCollection = text.includes('.');
    const named = isCollection
      ? this.keyspaces.collection(text, principal, 'any')
      : this.keyspaces.database(text, principal);
    const database = this.seenBy(principal, await this.storage.describe(named.keyspace.database));
    const json = isCollection ? await this.describeCollection(database, named) : describeDatabase(database);
    this.audit.keyspaceRead(request, named.keyspace);
    return new Reply(() => json, { tags: [databaseTag(database)] });
  }

  /** The database without the collections that the principal may not know of. */
  private seenBy(principal: Principal, database: DatabaseInfo): DatabaseInfo {
    const collections = database.collections.filter(({ scope, collection }) =>
      this.access.maySee(principal, { database: database.name, scope, collection }),
    );
    return { ...database, collections };
  }

  private async describeCollection({ name, uuid }: DatabaseInfo, { keyspace }: NamedKeyspace): Promise<string> {
    const { scope, collection, documents, lastSequence } = await this.storage.collection(keyspace);
    return JSON.stringify({
      db_name: name,
      db_uuid: uuid,
      scope_name: scope,
      collection_name: collection,
      doc_count: documents,
      update_seq: lastSequence,
      committed_update_seq: lastSequence,
    });
  }
}

function describeDatabase({ name, uuid, collections }: DatabaseInfo): string {
  const described = collections.map((info) => [
    formatCollection(info),
    { doc_count: info.documents, update_seq: info.lastSequence },
  ]);
  return JSON.stringify({ db_name: name, db_uuid: uuid, collections: Object.fromEntries(described) as object });
}
