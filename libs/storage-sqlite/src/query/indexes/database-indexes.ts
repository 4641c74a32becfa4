import type Database from 'better-sqlite3';
import type { IndexConfig } from '@edgesync/config';
import { isEdgeError } from '@edgesync/errors';
import type { IndexStatus } from '@edgesync/ports';
import { ObjectValue, slotValue, type Row } from '@edgesync/query';
import type { Collections } from '../../collections.js';
import type { DocumentIndexes, StoredRevision } from '../../write-path.js';
import { readSlots } from '../plan/slots.js';
import { definitionOf, IndexCatalog, type CatalogEntry } from './index-catalog.js';
import type { IndexTable } from './index-table.js';
import { KeyTable } from './key-table.js';
import { dropTables } from './table-names.js';
import type { FullTextConfig } from './text-table.js';

/** The part of an index that changes, and goes back with a transaction that is rolled back. */
interface State {
  /** The last row of `documents` that is in it; undefined: all are. */
  readonly builtTo: number | undefined;
  readonly exact: boolean;
  readonly failure: string | undefined;
}

/** An index that is kept up to date with every write. */
export interface KeptIndex {
  readonly id: number;
  readonly name: string;
  readonly config: IndexConfig;
  readonly collection: number;
  readonly table: IndexTable;
  state: State;
}

/**
 * The indexes of a database, on the side of the writes. Rows behind {@link State.builtTo} are left to the build, so that
 * a write touches an entry exactly if the build has passed it.
 */
export class DatabaseIndexes implements DocumentIndexes {
  private readonly catalog: IndexCatalog;
  private readonly kept: KeptIndex[] = [];
  private readonly byCollection = new Map<number, KeptIndex[]>();
  private readonly unknown: IndexStatus[] = [];
  /** States of the last committed transaction. */
  private saved: readonly State[] = [];

  /**
   * Makes the indexes of the database those of its configuration; they are empty until they are built. Runs in a
   * transaction of its own.
   */
  constructor(
    private readonly handle: Database.Database,
    configs: ReadonlyMap<string, IndexConfig>,
    private readonly collections: Collections,
    /** Given if there are full-text indexes: it brings the analysis of all languages along. */
    private readonly openText?: (handle: Database.Database, id: number, config: FullTextConfig) => IndexTable,
  ) {
    this.catalog = new IndexCatalog(handle);
    handle.transaction(() => this.reconcile(configs)).immediate();
    this.keep();
  }

  /** Whether some index is on a collection. */
  covers(collection: number): boolean {
    return this.byCollection.has(collection);
  }

  /** In the transaction of a write: undefined revisions are not there. */
  documentChanged(
    collection: number,
    row: number,
    before: StoredRevision | undefined,
    after: StoredRevision | undefined,
  ): void {
    const kept = this.byCollection.get(collection);
    if (!kept) return;
    const old = before && !before.deleted ? before : undefined;
    const now = after && !after.deleted ? after : undefined;
    if (old?.body === now?.body) return;
    const oldBody = old && ObjectValue.fromJson(old.body);
    const body = now && ObjectValue.fromJson(now.body);
    for (const index of kept) {
      if (index.state.builtTo !== undefined && row > index.state.builtTo) continue;
      const rowOf = (revision: StoredRevision, content: ObjectValue): Row =>
        index.table.slots.map((slot) => slotValue(slot, revision.id, content));
      this.change(index, row, oldBody && rowOf(old!, oldBody), body && rowOf(now!, body));
    }
  }

  /** In a transaction: a document that the build has come to. */
  documentFound(index: KeptIndex, row: number, slots: Row): void {
    this.change(index, row, undefined, slots);
  }

  /** In a transaction. @param row undefined: all documents are in it */
  builtTo(index: KeptIndex, row: number | undefined): void {
    index.state = { ...index.state, builtTo: row };
    this.catalog.builtTo(index.id, row);
  }

  /** Those that are not complete and can be. */
  unfinished(): KeptIndex[] {
    return this.kept.filter(({ state }) => state.builtTo !== undefined && state.failure === undefined);
  }

  keep(): void {
    this.saved = this.kept.map(({ state }) => state);
  }

  restore(): void {
    this.kept.forEach((index, place) => (index.state = this.saved[place]!));
  }

  statuses(): IndexStatus[] {
    const known = this.kept.map((index) => this.statusOf(index));
    return [...known, ...this.unknown].sort((a, b) => (a.name < b.name ? -1 : 1));
  }

  statusOf({ name, config, state, collection: id }: KeptIndex): IndexStatus {
    const { collection, type } = config;
    const common = { name, collection, type };
    if (state.failure !== undefined) return { ...common, state: 'failed', done: 0, total: 0, reason: state.failure };
    if (state.builtTo === undefined) return { ...common, state: 'ready', done: 0, total: 0 };
    const last = this.lastRow();
    const total = this.collections.byNumber(id)?.live ?? 0;
    return { ...common, state: 'building', done: last === 0 ? 0 : Math.floor((total * state.builtTo) / last), total };
  }

  /** Reads all documents. @returns what is wrong with the complete indexes, empty if nothing is */
  check(): string[] {
    return this.kept.flatMap((index) => {
      const { table, name, collection, state } = index;
      if (state.builtTo !== undefined || state.failure !== undefined) return [];
      const slots = readSlots(table.slots);
      const documents = this.handle
        .prepare(`SELECT ${slots.columns}, d.row FROM documents d WHERE d.collection = ? AND (d.flags & 1) = 0`)
        .raw();
      let entries = 0;
      for (const columns of documents.iterate(collection) as IterableIterator<unknown[]>) {
        const row = columns.pop() as number;
        const found = table.verify(row, slots.decode(columns, row));
        if (found === undefined) return [`the index ${name} lacks entries of row ${row}`];
        entries += found;
      }
      const size = table.size();
      return size === entries ? [] : [`the index ${name} has ${size} entries instead of ${entries}`];
    });
  }

  lastRow(): number {
    return this.handle.prepare('SELECT coalesce(max(row), 0) FROM documents').pluck().get() as number;
  }

  private change(index: KeptIndex, row: number, before: Row | undefined, after: Row | undefined): void {
    if (index.state.failure !== undefined) return;
    try {
      if (index.table.change(row, before, after) || !index.state.exact) return;
      index.state = { ...index.state, exact: false };
      this.catalog.inexact(index.id);
    } catch (error) {
      if (!isEdgeError(error)) throw error;
      // A write never fails because an expression of an index cannot be computed for it.
      index.state = { ...index.state, failure: error.message };
      this.catalog.failed(index.id, error.message);
    }
  }

  private reconcile(configs: ReadonlyMap<string, IndexConfig>): void {
    const wanted = new Map<
      string,
      { readonly config: IndexConfig; readonly collection: number; readonly definition: string }
    >();
    for (const [name, config] of configs) {
      const { collection: place, type } = config;
      const collection = this.collections
        .all()
        .find(({ keyspace }) => keyspace.scope === place.scope && keyspace.collection === place.collection);
      if (collection) wanted.set(name, { config, collection: collection.id, definition: definitionOf(config) });
      else {
        const reason = `there is no collection ${place.scope}.${place.collection}`;
        this.unknown.push({ name, collection: place, type, state: 'failed', done: 0, total: 0, reason });
      }
    }
    const existing = new Map<string, CatalogEntry>();
    for (const entry of this.catalog.all()) {
      const want = wanted.get(entry.name);
      if (want?.definition === entry.definition && want.collection === entry.collection && entry.failure === null)
        existing.set(entry.name, entry);
      else {
        this.handle.exec(dropTables(entry.id));
        this.catalog.drop(entry.id);
      }
    }
    for (const [name, { config, collection, definition }] of wanted) {
      const entry = existing.get(name);
      const id = entry?.id ?? this.catalog.add(name, collection, definition);
      const state: State = {
        builtTo: entry ? (entry.built_to ?? undefined) : 0,
        exact: entry?.exact !== 0,
        failure: undefined,
      };
      this.keepUp({ id, name, config, collection, table: this.open(id, config), state });
    }
  }

  private open(id: number, config: IndexConfig): IndexTable {
    return config.type === 'fulltext' ? this.openText!(this.handle, id, config) : new KeyTable(this.handle, id, config);
  }

  private keepUp(index: KeptIndex): void {
    this.kept.push(index);
    const others = this.byCollection.get(index.collection);
    if (others) others.push(index);
    else this.byCollection.set(index.collection, [index]);
  }
}
