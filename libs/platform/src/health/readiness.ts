import { finishesWithin } from '@edgesync/async';
import { EdgeError } from '@edgesync/errors';
import type { Storage } from '@edgesync/ports';
import type { Logger } from '@edgesync/logging';

/** A storage that does not answer within this time counts as away. */
const PATIENCE_MS = 2_000;
/** An answer holds for this long, so that asking costs nothing however often it happens. */
const FRESH_FOR_MS = 1_000;

export interface ReadinessOptions {
  readonly storage: Storage;
  /** Names of the databases that have to be open. */
  readonly databases: readonly string[];
  /** Receives the database that cannot be used, when that begins and when it ends. */
  readonly log: Logger;
  /** Milliseconds of a steady clock. */
  readonly now?: () => number;
  readonly patience?: number;
}

/** Whether requests can be served: every configured database is open, and can be read and written. */
export class Readiness {
  private asked = -Infinity;
  private answer: Promise<boolean> | undefined;
  private readonly failing = new Set<string>();

  constructor(private readonly options: ReadinessOptions) {}

  check(): Promise<boolean> {
    const now = (this.options.now ?? (() => performance.now()))();
    if (!this.answer || now - this.asked >= FRESH_FOR_MS) {
      this.asked = now;
      this.answer = this.ask();
    }
    return this.answer;
  }

  private async ask(): Promise<boolean> {
    const outcomes = await Promise.all(this.options.databases.map((name) => this.isUsable(name)));
    return outcomes.every(Boolean);
  }

  private async isUsable(database: string): Promise<boolean> {
    try {
      const answered = await finishesWithin(this.options.patience ?? PATIENCE_MS, this.use(database));
      if (!answered) throw new Error('no answer');
      if (this.failing.delete(database)) this.options.log.warning(`${database} can be used again`);
      return true;
    } catch (error) {
      if (!this.failing.has(database)) this.options.log.error(`not ready: ${database} cannot be used`, error);
      this.failing.add(database);
      return false;
    }
  }

  /** Reads a document that need not exist: the index it would be in is enough. Writes are not tried: that wears flash. */
  private async use(database: string): Promise<void> {
    const { collections, writeObstacle } = await this.options.storage.describe(database);
    if (writeObstacle) throw new EdgeError(writeObstacle);
    const first = collections[0];
    if (!first) return;
    const { scope, collection } = first;
    await this.options.storage.read({ database, scope, collection }, ['readiness'], { body: false });
  }
}
