import { setTimeout as sleep } from 'node:timers/promises';
import type { ReplicationConfig } from '@edgesync/config';
import { watchFiles, type FileWatch, type Logger } from '@edgesync/platform';
import {
  endReplication,
  type ReplicationLease,
  type ReplicationRecords,
  type ReplicationRow,
  type ReplicationTask,
} from '@edgesync/ports';
import { RemoteAccess } from './remote-access.js';
import { planReplication } from './replication-plan.js';
import type { ReplicationRunner, StartedReplication } from './replication-runner.service.js';

/** Pause before the end of a replication is entered in the table again, after the table could not be reached. */
const RECORD_AGAIN_MS = 250;

export interface SupervisionParts {
  readonly runner: ReplicationRunner;
  readonly records: ReplicationRecords;
  readonly log: Logger;
}

/**
 * A replication for as long as this process has its lease. Its end is entered in the table, so that nobody starts it again;
 * if the lease ends first nothing is entered, and another process goes on with it.
 */
export class SupervisedReplication {
  private readonly access: RemoteAccess;
  private readonly started: StartedReplication;
  private readonly watch: FileWatch | undefined;
  private recorded: Promise<void> = Promise.resolve();
  private isGiven = false;

  constructor(
    private readonly lease: ReplicationLease,
    row: ReplicationRow,
    private readonly definition: ReplicationConfig,
    private readonly parts: SupervisionParts,
  ) {
    const { continuous, auth } = definition;
    this.access = new RemoteAccess(definition);
    this.started = parts.runner.run(row.number, planReplication(definition), this.access, {
      isOwner: () => lease.held,
      // What the configuration wants is wanted for as long as it says so.
      isPersistent: row.origin === 'configured' && (continuous || auth?.reconnectOnTokenChange === true),
    });
    const files = this.access.files;
    if (files.length > 0) this.watch = watchFiles(files, () => void this.fileChanged());
    void this.started.replication.ended.then(() => {
      this.watch?.stop();
      if (!this.isGiven) this.recorded = this.recordEnd();
    });
  }

  /** Its status; undefined once its end is in the table. */
  async describe(): Promise<ReplicationTask> {
    return this.parts.runner.describe(this.started);
  }

  /** Stops it for good. */
  stop(): void {
    void this.started.replication.stop();
  }

  /** Something that its connections depend on may have changed. */
  retryNow(): void {
    this.started.replication.retryNow();
  }

  /** Ends the work here: in good order while the lease lasts, else at this moment. */
  async give(): Promise<void> {
    this.isGiven = true;
    this.watch?.stop();
    const { replication } = this.started;
    await (this.lease.held ? replication.stop() : replication.abort());
    await this.recorded;
  }

  private async recordEnd(): Promise<void> {
    const { runner, records, log } = this.parts;
    const task = await runner.describe(this.started);
    while (this.lease.held)
      try {
        await records.change((table) => endReplication(table, task));
        return;
      } catch (error) {
        log.warning(`{repl#${task.task_id}} its end is not recorded yet`, error);
        await sleep(RECORD_AGAIN_MS);
      }
  }

  /** Another token makes a new connection where that is wanted; a file without one is an intermediate state. */
  private async fileChanged(): Promise<void> {
    const { replication } = this.started;
    const before = this.access.token;
    replication.retryNow();
    if (!this.definition.auth?.reconnectOnTokenChange) return;
    const token = await this.access.readToken().catch(() => undefined);
    if (token !== undefined && token !== before && token !== this.access.token) replication.reconnect();
  }
}
