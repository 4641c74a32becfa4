import type Database from 'better-sqlite3';
import type { IndexConfig } from '@edgesync/config';
import { checkIndexExpression } from '@edgesync/query';

/** A row of `indexes`. */
export interface CatalogEntry {
  readonly id: number;
  readonly name: string;
  readonly collection: number;
  readonly definition: string;
  readonly built_to: number | null;
  readonly exact: number;
  readonly failure: string | null;
}

/** Goes up when entries of an index are made in another way: then all are built again. */
const FORMAT = 1;

/** The text by which an index is known to be the one that a configuration asks for. */
export function definitionOf(config: IndexConfig): string {
  const { collection: _, ...definition } = config;
  const isPlain = config.expressions.every((text) => checkIndexExpression(text).type === 'property');
  // Functions of dates depend on it.
  const zone = isPlain && !('where' in config) ? undefined : Intl.DateTimeFormat().resolvedOptions().timeZone;
  return JSON.stringify({ format: FORMAT, ...definition, zone });
}

/** The definition of an index in the catalog. */
export function readDefinition(definition: string): Omit<IndexConfig, 'collection'> {
  return JSON.parse(definition) as Omit<IndexConfig, 'collection'>;
}

/** The indexes of a database, as recorded in its file. */
export class IndexCatalog {
  private readonly insert: Database.Statement<[string, number, string]>;
  private readonly remove: Database.Statement<[number]>;
  private readonly select: Database.Statement<[], CatalogEntry>;
  private readonly updateBuilt: Database.Statement<[number | null, number]>;
  private readonly updateExact: Database.Statement<[number]>;
  private readonly updateFailure: Database.Statement<[string, number]>;

  constructor(handle: Database.Database) {
    this.insert = handle.prepare('INSERT INTO indexes (name, collection, definition, built_to) VALUES (?, ?, ?, 0)');
    this.remove = handle.prepare('DELETE FROM indexes WHERE id = ?');
    this.select = handle.prepare('SELECT id, name, collection, definition, built_to, exact, failure FROM indexes');
    this.updateBuilt = handle.prepare('UPDATE indexes SET built_to = ? WHERE id = ?');
    this.updateExact = handle.prepare('UPDATE indexes SET exact = 0 WHERE id = ?');
    this.updateFailure = handle.prepare('UPDATE indexes SET failure = ? WHERE id = ?');
  }

  all(): CatalogEntry[] {
    return this.select.all();
  }

  /** @returns its ID */
  add(name: string, collection: number, definition: string): number {
    return Number(this.insert.run(name, collection, definition).lastInsertRowid);
  }

  drop(id: number): void {
    this.remove.run(id);
  }

  /** @param row undefined: all documents are in it */
  builtTo(id: number, row: number | undefined): void {
    this.updateBuilt.run(row ?? null, id);
  }

  inexact(id: number): void {
    this.updateExact.run(id);
  }

  failed(id: number, reason: string): void {
    this.updateFailure.run(reason, id);
  }
}
