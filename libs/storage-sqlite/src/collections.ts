import type Database from 'better-sqlite3';
import type { Repository } from 'typeorm';
import { EdgeError } from '@edgesync/errors';
import type { Keyspace } from '@edgesync/document';
import type { ChangedEvent } from '@edgesync/ports';
import type { CollectionEntity } from './entities/collection.entity.js';

/** A shared collection: its counters, and who waits for its changes. */
export class Collection {
  private readonly listeners = new Set<(event: ChangedEvent) => void>();
  private saved: { lastSequence: number; live: number };

  constructor(
    readonly id: number,
    readonly keyspace: Keyspace,
    public lastSequence: number,
    public live: number,
  ) {
    this.saved = { lastSequence, live };
  }

  get changed(): boolean {
    return this.lastSequence !== this.saved.lastSequence || this.live !== this.saved.live;
  }

  /** Rings the doorbell if there are new sequences. A listener that throws is reported and stops nobody. */
  keep(report: (error: unknown) => void): void {
    const rung = this.lastSequence !== this.saved.lastSequence;
    this.saved = { lastSequence: this.lastSequence, live: this.live };
    if (!rung) return;
    const event = { keyspace: this.keyspace, sequence: this.lastSequence };
    for (const listener of [...this.listeners]) {
      try {
        listener(event);
      } catch (error) {
        report(error);
      }
    }
  }

  restore(): void {
    this.lastSequence = this.saved.lastSequence;
    this.live = this.saved.live;
  }

  watch(listener: (event: ChangedEvent) => void): () => void {
    this.listeners.add(listener);
    return () => this.listeners.delete(listener);
  }
}

/** The shared collections of a database by name. */
export class Collections {
  private readonly byName = new Map<string, Collection>();
  private readonly byId = new Map<number, Collection>();
  private readonly update: Database.Statement<[number, number, number]>;
  private readonly decrement: Database.Statement<[number]>;

  constructor(
    handle: Database.Database,
    rows: readonly CollectionEntity[],
    private readonly database: string,
    private readonly report: (error: unknown) => void,
  ) {
    this.update = handle.prepare('UPDATE collections SET last_sequence = ?, live = ? WHERE id = ?');
    this.decrement = handle.prepare('UPDATE collections SET live = live - 1 WHERE id = ?');
    for (const { id, scope, name, lastSequence, live } of rows) {
      const collection = new Collection(id, { database, scope, collection: name }, lastSequence, live);
      this.byName.set(nameOf(scope, name), collection);
      this.byId.set(id, collection);
    }
  }

  /** @throws EdgeError `keyspace.unknown` */
  get({ database, scope, collection }: Keyspace): Collection {
    const found = database === this.database ? this.byName.get(nameOf(scope, collection)) : undefined;
    if (!found) throw new EdgeError('keyspace.unknown', `no collection ${scope}.${collection} in database ${database}`);
    return found;
  }

  /** In a transaction: a live document of a collection is gone, shared or not. */
  countPurged(id: number): void {
    const shared = this.byId.get(id);
    if (shared) shared.live--;
    else this.decrement.run(id);
  }

  /** A shared collection by its ID. */
  byNumber(id: number): Collection | undefined {
    return this.byId.get(id);
  }

  all(): Collection[] {
    return [...this.byName.values()];
  }

  /** In the transaction: writes the counters that moved. */
  save(): void {
    for (const collection of this.byName.values())
      if (collection.changed) this.update.run(collection.lastSequence, collection.live, collection.id);
  }

  /** After the commit: rings the doorbells. */
  keep(): void {
    for (const collection of this.byName.values()) if (collection.changed) collection.keep(this.report);
  }

  restore(): void {
    for (const collection of this.byName.values()) collection.restore();
  }
}

const nameOf = (scope: string, name: string): string => `${scope}.${name}`;

/** Names of the collections to share: `undefined` shares all there are. */
export type SharedCollections = readonly { readonly scope: string; readonly collection: string }[] | undefined;

/**
 * Chooses what is shared, creating listed collections if that is allowed. The default collection always exists.
 * @throws EdgeError `storage.missing` for a listed collection that does not exist and may not be created
 */
export async function shareCollections(
  repository: Repository<CollectionEntity>,
  shared: SharedCollections,
  create: boolean,
): Promise<CollectionEntity[]> {
  const existing = await repository.find();
  const find = (scope: string, name: string): CollectionEntity | undefined =>
    existing.find((row) => row.scope === scope && row.name === name);
  if (!find('_default', '_default'))
    existing.push(
      await repository.save(repository.create({ scope: '_default', name: '_default', lastSequence: 0, live: 0 })),
    );
  if (!shared) return existing;
  const chosen: CollectionEntity[] = [];
  for (const { scope, collection: name } of shared) {
    const found = find(scope, name);
    if (!found && !create) throw new EdgeError('storage.missing', `the collection ${scope}.${name} does not exist`);
    chosen.push(found ?? (await repository.save(repository.create({ scope, name, lastSequence: 0, live: 0 }))));
  }
  return chosen;
}
