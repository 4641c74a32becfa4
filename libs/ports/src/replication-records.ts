import type { ReplicationConfig } from '@edgesync/config';
import type { ReplicationTable } from './replication-table.js';

/** Where the table of replications is, with the definitions that came with requests. */
export interface ReplicationRecords {
  /** @throws EdgeError `sync.no-worker` if the table cannot be reached */
  read(): Promise<ReplicationTable>;
  /**
   * Changes the table, even if others do at the same time.
   * @param edit returns the new table, or the one it was given; may be called several times
   * @throws what `edit` throws, EdgeError `sync.no-worker`
   */
  change(edit: (table: ReplicationTable) => ReplicationTable): Promise<ReplicationTable>;
  /** The number of the next replication that is added to a table. */
  nextNumber(table: ReplicationTable): number;
  /**
   * Keeps a definition; to be called before there is a row for it.
   * @returns its size in bytes
   * @throws EdgeError `replication.limit`, `request.invalid` if it is too large, `sync.no-worker`
   */
  putDefinition(key: string, definition: ReplicationConfig): Promise<number>;
  /** @returns undefined if it is not there (any more). @throws EdgeError `config.invalid`, `sync.no-worker` */
  definition(key: string): Promise<ReplicationConfig | undefined>;
  dropDefinition(key: string): Promise<void>;
  /** Drops definitions that no running replication has: the process that kept them died before it entered or ended one. */
  dropStrays(): Promise<void>;
  /**
   * Calls `listener` with the table now, after every change, and at regular intervals if changes may get lost.
   * @returns stops that
   */
  follow(listener: (table: ReplicationTable, isNew: boolean) => void): () => void;
  /** Makes those who follow look at once. */
  ring(): void;
  /** The same for the same text. Nothing can be concluded from it about the text by those who see the table. */
  fingerprint(text: string): string;
}

/** The right to run what a name stands for. */
export interface ReplicationLease {
  readonly name: string;
  /** Whether it is certain, at this moment, that no other process has it. */
  readonly held: boolean;
}

/** The handling of leases that a process gets. */
export interface LeaseHandlers {
  /** Begins to work. If it throws, the lease goes back and all is tried again. */
  acquired(lease: ReplicationLease): Promise<void>;
  /** Ends the work, quickly: the lease is over already unless this process gives it back. */
  given(name: string): Promise<void>;
  /** The lease is over: other processes may have it. */
  released?(name: string): void;
  /** Notes what went wrong; the work goes on. */
  report(name: string, error: unknown): void;
}

/** Keeps trying for the leases that a process wants. */
export interface ReplicationLeases {
  /** The names for which it has a lease, or tries to get one. */
  readonly pursued: ReadonlySet<string>;
  pursue(name: string): void;
  /** Gives a lease back, or stops trying. It may be pursued again when this resolves. */
  abandon(name: string): Promise<void>;
  /** Something may have become free: tries at once. */
  wake(): void;
  /** Gives everything back. */
  stop(): Promise<void>;
}

export type CreateLeases = (handlers: LeaseHandlers) => ReplicationLeases;
