import type Database from 'better-sqlite3';

/** Outcomes of writes that may be repeated by a caller that did not receive the reply. */
export class DoneWrites {
  private readonly select: Database.Statement<[string]>;
  private readonly insert: Database.Statement<[string, number, string]>;
  private readonly remove: Database.Statement<[number, number]>;

  constructor(
    handle: Database.Database,
    private readonly nowSeconds: () => number,
  ) {
    this.select = handle.prepare('SELECT outcome FROM done_writes WHERE key = ?').pluck();
    this.insert = handle.prepare('INSERT INTO done_writes (key, done_at, outcome) VALUES (?, ?, ?)');
    this.remove = handle.prepare(
      'DELETE FROM done_writes WHERE key IN (SELECT key FROM done_writes WHERE done_at < ? LIMIT ?)',
    );
  }

  /**
   * Does a write unless one of that key was done, and returns its outcome, which must survive JSON. In a transaction:
   * the write and the note of it are committed together or not at all.
   */
  once<T>(key: string | undefined, write: () => T): T {
    if (key === undefined) return write();
    const known = this.select.get(key) as string | undefined;
    if (known !== undefined) return JSON.parse(known) as T;
    const outcome = write();
    this.insert.run(key, this.nowSeconds(), JSON.stringify(outcome));
    return outcome;
  }

  /** In a transaction. @returns how many were forgotten */
  forget(beforeSeconds: number, limit: number): number {
    return this.remove.run(beforeSeconds, limit).changes;
  }
}
