import { createHash } from 'node:crypto';
import type { ReplicationConfig } from '@edgesync/config';
import {
  EMPTY_REPLICATION_TABLE,
  type LeaseHandlers,
  type ReplicationLease,
  type ReplicationLeases,
  type ReplicationRecords,
  type ReplicationTable,
} from '@edgesync/ports';

/** The table of replications of the only process that runs any. It ends with the process. */
export class MemoryReplicationRecords implements ReplicationRecords {
  private table = EMPTY_REPLICATION_TABLE;
  private readonly definitions = new Map<string, ReplicationConfig>();
  private readonly listeners = new Set<(table: ReplicationTable, isNew: boolean) => void>();

  /** @param nextNumber unique among all tasks of the process */
  constructor(readonly nextNumber: (table: ReplicationTable) => number = ({ last }) => last + 1) {}

  async read(): Promise<ReplicationTable> {
    return this.table;
  }

  async change(edit: (table: ReplicationTable) => ReplicationTable): Promise<ReplicationTable> {
    const next = edit(this.table);
    if (next !== this.table) {
      this.table = next;
      this.ring();
    }
    return next;
  }

  async putDefinition(key: string, definition: ReplicationConfig): Promise<number> {
    this.definitions.set(key, definition);
    return Buffer.byteLength(JSON.stringify(definition));
  }

  async definition(key: string): Promise<ReplicationConfig | undefined> {
    return this.definitions.get(key);
  }

  async dropDefinition(key: string): Promise<void> {
    this.definitions.delete(key);
  }

  async dropStrays(): Promise<void> {}

  follow(listener: (table: ReplicationTable, isNew: boolean) => void): () => void {
    this.listeners.add(listener);
    listener(this.table, false);
    return () => this.listeners.delete(listener);
  }

  ring(): void {
    for (const listener of this.listeners) listener(this.table, true);
  }

  fingerprint(text: string): string {
    return createHash('sha256').update(text).digest('base64url');
  }
}

interface Holding {
  /** Resolves when the work has begun, or failed to. */
  readonly begun: Promise<void>;
  isHeld: boolean;
  ending?: Promise<void>;
}

/** Leases of the only process that wants any: it gets each at once and keeps it. */
export class HeldLeases implements ReplicationLeases {
  private readonly holdings = new Map<string, Holding>();

  constructor(private readonly handlers: LeaseHandlers) {}

  get pursued(): ReadonlySet<string> {
    return new Set(this.holdings.keys());
  }

  pursue(name: string): void {
    if (this.holdings.has(name)) return;
    const { handlers } = this;
    const holding: Holding = { begun: Promise.resolve(), isHeld: true };
    const lease: ReplicationLease = {
      name,
      get held() {
        return holding.isHeld;
      },
    };
    const begun = handlers.acquired(lease).catch((error: unknown) => handlers.report(name, error));
    this.holdings.set(name, Object.assign(holding, { begun }));
  }

  async abandon(name: string): Promise<void> {
    const holding = this.holdings.get(name);
    if (holding) await (holding.ending ??= this.end(name, holding));
  }

  wake(): void {}

  async stop(): Promise<void> {
    await Promise.all([...this.holdings.keys()].map((name) => this.abandon(name)));
  }

  private async end(name: string, holding: Holding): Promise<void> {
    await holding.begun;
    try {
      await this.handlers.given(name);
    } catch (error) {
      this.handlers.report(name, error);
    }
    holding.isHeld = false;
    this.holdings.delete(name);
  }
}
