import type Database from 'better-sqlite3';
import type { GroupCommit } from '../../group-commit.js';
import { readSlots, type SlotReader } from '../plan/slots.js';
import type { DatabaseIndexes, KeptIndex } from './database-indexes.js';
import { BUILD_MS, BUILD_PAUSE_MS, BUILD_ROWS, BUILD_WINDOW } from './tuning.js';

export interface IndexBuilderParts {
  readonly handle: Database.Database;
  readonly commit: GroupCommit;
  readonly indexes: DatabaseIndexes;
  /** An index is complete, or has failed. */
  readonly built: (index: KeptIndex) => void;
  readonly report: (error: unknown) => void;
}

/**
 * Fills new indexes while the database serves, in short transactions of the write queue. How far it is stands in the same
 * transaction as the entries, so a build goes on where the process ended.
 */
export class IndexBuilder {
  private stopped = false;
  private pause: NodeJS.Timeout | undefined;
  private wake: (() => void) | undefined;

  constructor(private readonly parts: IndexBuilderParts) {}

  /** Resolves when all indexes are complete, have failed, or {@link stop} was called. */
  async run(): Promise<void> {
    try {
      for (const index of this.parts.indexes.unfinished()) await this.build(index);
    } catch (error) {
      if (!this.stopped) this.parts.report(error);
    }
  }

  stop(): void {
    this.stopped = true;
    clearTimeout(this.pause);
    this.wake?.();
  }

  private async build(index: KeptIndex): Promise<void> {
    const slots = readSlots(index.table.slots);
    const select = this.parts.handle
      .prepare(
        `SELECT ${slots.columns}, d.row FROM documents d NOT INDEXED
         WHERE d.row > ? AND d.row <= ? AND d.collection = ${index.collection} AND (d.flags & 1) = 0 ORDER BY d.row`,
      )
      .raw();
    while (!this.stopped && index.state.builtTo !== undefined && index.state.failure === undefined) {
      await this.parts.commit.run(BUILD_ROWS, () => this.step(index, select, slots));
      if (index.state.builtTo !== undefined) await this.rest();
    }
    if (!this.stopped) this.parts.built(index);
  }

  /** As many documents as fit into a short time. */
  private step(index: KeptIndex, select: Database.Statement, slots: SlotReader): void {
    const { indexes } = this.parts;
    const { builtTo } = index.state;
    if (builtTo === undefined) return;
    const began = performance.now();
    const last = indexes.lastRow();
    const found: unknown[][] = [];
    let end = Math.min(builtTo + BUILD_WINDOW, last);
    // Nothing can be written before the iteration has ended.
    for (const columns of select.iterate(builtTo, end) as IterableIterator<unknown[]>) {
      found.push(columns);
      if (found.length < BUILD_ROWS && performance.now() - began < BUILD_MS / 2) continue;
      end = columns.at(-1) as number;
      break;
    }
    for (const columns of found) {
      const row = columns.pop() as number;
      indexes.documentFound(index, row, slots.decode(columns, row));
    }
    indexes.builtTo(index, end < last ? end : undefined);
  }

  private rest(): Promise<void> {
    return new Promise((resolve) => {
      this.wake = resolve;
      this.pause = setTimeout(resolve, BUILD_PAUSE_MS);
    });
  }
}
