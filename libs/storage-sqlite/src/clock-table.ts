import type Database from 'better-sqlite3';

/**
 * The last time the database's clock gave out, kept so that it never goes back across restarts
 * (docs/protocol/revisions.md#time).
 */
export class ClockTable {
  private readonly upsert: Database.Statement<[string]>;
  private saved: string | undefined;

  constructor(private readonly handle: Database.Database) {
    this.upsert = handle.prepare(
      'INSERT INTO clock (only, time) VALUES (1, ?) ON CONFLICT DO UPDATE SET time = excluded.time',
    );
  }

  /** Hexadecimal, undefined for a database that minted no version yet. */
  load(): string | undefined {
    const row = this.handle.prepare('SELECT time FROM clock').get() as { time: string } | undefined;
    return (this.saved = row?.time);
  }

  /** Begins again, for a new source. */
  clear(): void {
    this.handle.prepare('DELETE FROM clock').run();
    this.saved = undefined;
  }

  /** In a transaction. */
  save(time: string | undefined): void {
    if (time === undefined || time === this.saved) return;
    this.upsert.run(time);
    this.saved = time;
  }
}
