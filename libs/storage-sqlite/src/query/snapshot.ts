import Database from 'better-sqlite3';
import QuickLRU from 'quick-lru';
import { CACHE_KIB, PREPARED_STATEMENTS } from './tuning.js';

/** A connection of a thread. It reads, and within {@link begin} and {@link end} always the same state. */
export class Snapshot {
  private readonly handle: Database.Database;
  private readonly prepared = new QuickLRU<string, Database.Statement>({ maxSize: PREPARED_STATEMENTS });
  private readonly plucked = new QuickLRU<string, Database.Statement>({ maxSize: PREPARED_STATEMENTS });
  private readonly lent = new QuickLRU<string, Database.Statement[]>({ maxSize: PREPARED_STATEMENTS });
  private readonly beginning: Database.Statement;
  private readonly ending: Database.Statement;

  constructor(file: string) {
    this.handle = new Database(file, { readonly: true, fileMustExist: true, timeout: 2_000 });
    this.handle.pragma(`cache_size = -${CACHE_KIB}`);
    this.handle.pragma('temp_store = MEMORY');
    this.beginning = this.handle.prepare('BEGIN');
    this.ending = this.handle.prepare('COMMIT');
  }

  /** The state is that of the first read afterwards. */
  begin(): void {
    this.beginning.run();
  }

  end(): void {
    if (this.handle.inTransaction) this.ending.run();
  }

  /** A statement whose rows are arrays; kept for the next time. */
  prepare(sql: string): Database.Statement {
    let statement = this.prepared.get(sql);
    if (statement) return statement;
    statement = this.handle.prepare(sql).raw();
    this.prepared.set(sql, statement);
    return statement;
  }

  /** A statement whose rows are its first column; kept for the next time. */
  pluck(sql: string): Database.Statement {
    let statement = this.plucked.get(sql);
    if (!statement) this.plucked.set(sql, (statement = this.handle.prepare(sql).pluck()));
    return statement;
  }

  /** A statement that is walked step by step, for one walker alone until it is given back. */
  borrow(sql: string): Database.Statement {
    const free = this.lent.get(sql)?.pop();
    return free ?? this.handle.prepare(sql).raw();
  }

  giveBack(statement: Database.Statement): void {
    const free = this.lent.get(statement.source);
    if (free) free.push(statement);
    else this.lent.set(statement.source, [statement]);
  }

  close(): void {
    this.handle.close();
  }
}
