import { setTimeout as sleep } from 'node:timers/promises';
import { endReplication, reviveReplication, type Lease, type ReplicationRecords } from '@edgesync/bus-nats';
import type { ReplicationConfig } from '@edgesync/config';
import { watchFiles, type FileWatch, type Logger, type Sealer } from '@edgesync/platform';
import type { ReplicationTask } from '@edgesync/ports';
import type { Failure } from '../upstream/failure.js';
import { RemoteAccess } from '../upstream/remote-access.js';
import { planUpstream } from '../upstream/upstream-plan.js';
import type { StartedUpstream, UpstreamRunner } from '../upstream/upstream-runner.service.js';

/** Pause before the end of a replication is entered in the table again, after NATS did not take it. */
const RECORD_AGAIN_MS = 250;

export interface OwnedUpstreamParts {
  readonly runner: UpstreamRunner;
  readonly records: ReplicationRecords;
  readonly sealer: Sealer;
  readonly log: Logger;
}

/**
 * A replication for as long as this worker has its lease. What it comes to is entered in the table, so that nobody starts it
 * again; if the lease ends first nothing is, and another worker goes on with it.
 */
export class OwnedUpstream {
  private readonly access: RemoteAccess;
  private readonly watch: FileWatch | undefined;
  private started: StartedUpstream | undefined;
  private recorded: Promise<void> = Promise.resolve();
  /** Fingerprint of the token with which it ended, if another one makes it start over. */
  private refused: string | undefined;
  private isGiven = false;

  /** @param refused of one that has ended and waits for another token; absent: it is to run */
  constructor(
    private readonly lease: Lease,
    private readonly definition: ReplicationConfig,
    private readonly parts: OwnedUpstreamParts,
    refused?: string,
  ) {
    this.access = new RemoteAccess(definition);
    this.refused = refused;
    const { tokenFile } = this.access;
    if (tokenFile !== undefined && definition.auth?.reconnectOnTokenChange)
      this.watch = watchFiles([tokenFile], () => void this.lookAtToken());
    if (refused === undefined) this.run();
    else void this.lookAtToken();
  }

  private get number(): number {
    return Number(this.lease.name);
  }

  /** How it is; undefined if it does not run. */
  async describe(): Promise<ReplicationTask | undefined> {
    return this.started && this.parts.runner.describe(this.started);
  }

  /** Stops it for good. */
  stop(): void {
    void this.started?.upstream.stop();
  }

  /** Ends the work here: in good order while the lease lasts, else at this moment. */
  async give(): Promise<void> {
    this.isGiven = true;
    this.watch?.stop();
    const { upstream } = this.started ?? {};
    await (this.lease.held ? upstream?.stop() : upstream?.abort());
    await this.recorded;
  }

  private run(): void {
    const plan = planUpstream(this.definition);
    const started = this.parts.runner.run(this.number, plan, this.access, () => this.lease.held);
    this.started = started;
    void started.upstream.ended.then((failure) => {
      if (!this.isGiven) this.recorded = this.recordEnd(started, failure);
    });
  }

  private async recordEnd(started: StartedUpstream, failure: Failure | undefined): Promise<void> {
    const { runner, records, sealer, log } = this.parts;
    const task = await runner.describe(started);
    const { token } = this.access;
    const refused = failure && this.watch ? (token === undefined ? '' : sealer.fingerprint(token)) : undefined;
    while (this.lease.held)
      try {
        await records.change((table) => endReplication(table, task, refused));
        this.refused = refused;
        return await this.lookAtToken();
      } catch (error) {
        log.warning(`{repl#${this.number}} its end is not recorded yet`, error);
        await sleep(RECORD_AGAIN_MS);
      }
  }

  /** A file without a token is an intermediate state. */
  private async lookAtToken(): Promise<void> {
    const token = await this.access.readToken().catch(() => undefined);
    if (token === undefined || this.isGiven) return;
    const { upstream } = this.started ?? {};
    if (upstream && upstream.activity !== 'Stopped') {
      if (token !== this.access.token) upstream.reconnect();
      return;
    }
    const { records, sealer, log } = this.parts;
    if (this.refused === undefined || sealer.fingerprint(token) === this.refused) return;
    try {
      await records.change((table) => reviveReplication(table, this.number, Date.now()));
    } catch (error) {
      log.error('a replication is not started with its new token', error);
    }
  }
}
