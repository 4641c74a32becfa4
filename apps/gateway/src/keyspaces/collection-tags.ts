import { Inject, Injectable } from '@nestjs/common';
import { STORAGE } from '@edgesync/platform';
import type { CollectionInfo, DatabaseInfo, Storage } from '@edgesync/ports';

/**
 * Entity tags of replies that depend on whole collections (docs/protocol/rest.md#caching). A write moves the last
 * sequence; between writes documents can only expire, which lowers their number: the two together never come back to an
 * earlier state.
 */
@Injectable()
export class CollectionTags {
  private readonly uuids = new Map<string, string>();

  constructor(@Inject(STORAGE) private readonly storage: Storage) {}

  /** The tag of a collection's state, without quotes. */
  async of(database: string, { lastSequence, documents }: CollectionInfo): Promise<string> {
    let uuid = this.uuids.get(database);
    // A database keeps its UUID for as long as it is open.
    if (uuid === undefined) this.uuids.set(database, (uuid = (await this.storage.describe(database)).uuid));
    return `${uuid}-${lastSequence}-${documents}`;
  }
}

/** The tag of the state of all collections of a database, without quotes. */
export function databaseTag({ uuid, collections }: DatabaseInfo): string {
  let sequences = 0;
  let documents = 0;
  for (const collection of collections) {
    sequences += collection.lastSequence;
    documents += collection.documents;
  }
  return `${uuid}-${collections.length}-${sequences}-${documents}`;
}
