import type Database from 'better-sqlite3';

/** Problems that a report names; all of them are counted. */
const NAMED_PROBLEMS = 100;

/** A document, or a blob, that did not come along. */
export interface ImportProblem {
  readonly collection: string;
  readonly id: string;
  readonly reason: string;
}

/** Counts of imported rows; kept with the progress, so that a resumed import reports everything. */
export interface Tally {
  documents: number;
  tombstones: number;
  expired: number;
  conflicts: number;
  lostConflicts: number;
  /** The first documents with such conflicts. */
  lostConflictsOf: ImportProblem[];
  blobs: number;
  blobBytes: number;
  lostBlobs: ImportProblem[];
  lostBlobCount: number;
  skipped: ImportProblem[];
  skippedCount: number;
  /** Rows looked at. */
  rows: number;
  bytes: number;
}

export const emptyTally = (): Tally => ({
  documents: 0,
  tombstones: 0,
  expired: 0,
  conflicts: 0,
  lostConflicts: 0,
  lostConflictsOf: [],
  blobs: 0,
  blobBytes: 0,
  lostBlobs: [],
  lostBlobCount: 0,
  skipped: [],
  skippedCount: 0,
  rows: 0,
  bytes: 0,
});

export function note(list: ImportProblem[], problem: ImportProblem): void {
  if (list.length < NAMED_PROBLEMS) list.push(problem);
}

/** Where an import is, in the file that it fills. */
export class ProgressTable {
  constructor(private readonly handle: Database.Database) {
    handle.exec(
      'CREATE TABLE IF NOT EXISTS import_progress (name TEXT PRIMARY KEY NOT NULL, value TEXT NOT NULL) WITHOUT ROWID',
    );
  }

  get fingerprint(): string | undefined {
    return this.get('fingerprint');
  }

  set fingerprint(value: string) {
    this.set('fingerprint', value);
  }

  rowOf(table: string): number {
    return Number(this.get(`row ${table}`) ?? 0);
  }

  loadTally(): Tally {
    const stored = this.get('tally');
    return stored === undefined ? emptyTally() : { ...emptyTally(), ...(JSON.parse(stored) as Partial<Tally>) };
  }

  /** In the transaction of the rows. */
  save(table: string, row: number, tally: Tally): void {
    this.set(`row ${table}`, String(row));
    this.set('tally', JSON.stringify(tally));
  }

  isLost(digest: string): boolean {
    return this.get(`lost ${digest}`) !== undefined;
  }

  /** Notes a blob that could not be copied, so that it counts once. */
  noteLost(digest: string): void {
    this.set(`lost ${digest}`, '');
  }

  /** The source is another one now: nothing that was read of it counts. */
  clear(): void {
    this.handle.exec(
      `DELETE FROM import_progress; DELETE FROM documents; DELETE FROM revisions; DELETE FROM blob_references;
       DELETE FROM blobs; DELETE FROM collections; DELETE FROM import_progress`,
    );
  }

  drop(): void {
    this.handle.exec('DROP TABLE import_progress');
  }

  private get(name: string): string | undefined {
    return this.handle.prepare('SELECT value FROM import_progress WHERE name = ?').pluck().get(name) as
      string | undefined;
  }

  private set(name: string, value: string): void {
    this.handle
      .prepare(
        'INSERT INTO import_progress (name, value) VALUES (?, ?) ON CONFLICT DO UPDATE SET value = excluded.value',
      )
      .run(name, value);
  }
}
