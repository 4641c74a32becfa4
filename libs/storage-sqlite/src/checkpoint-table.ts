import type Database from 'better-sqlite3';
import { EdgeError } from '@edgesync/errors';
import type { Checkpoint } from '@edgesync/ports';
import type { Collection } from './collections.js';

interface CheckpointRow {
  readonly saves: number;
  readonly body: string;
}

/** Checkpoints of peers, one row each. */
export class CheckpointTable {
  private readonly select: Database.Statement<[number, string]>;
  private readonly upsert: Database.Statement<[number, string, number, string]>;

  constructor(handle: Database.Database) {
    this.select = handle.prepare('SELECT saves, body FROM checkpoints WHERE collection = ? AND client = ?');
    this.upsert = handle.prepare(
      `INSERT INTO checkpoints (collection, client, saves, body) VALUES (?, ?, ?, ?)
       ON CONFLICT DO UPDATE SET saves = excluded.saves, body = excluded.body`,
    );
  }

  load(collection: Collection, client: string): Checkpoint | undefined {
    const row = this.select.get(collection.id, client) as CheckpointRow | undefined;
    return row && { rev: revOf(row.saves), body: row.body };
  }

  /** In a transaction. @throws EdgeError `checkpoint.conflict` */
  save(collection: Collection, client: string, rev: string, body: string): string {
    const row = this.select.get(collection.id, client) as CheckpointRow | undefined;
    if ((row ? revOf(row.saves) : '') !== rev) throw new EdgeError('checkpoint.conflict');
    const saves = (row?.saves ?? 0) + 1;
    this.upsert.run(collection.id, client, saves, body);
    return revOf(saves);
  }
}

/** Sync Gateway's form (docs/protocol/replication.md#setcheckpoint). */
const revOf = (saves: number): string => `0-${saves}`;
