import { encodeMessage, MessageKind, rollCallSubject, WorkerAnnouncement, workerSubject } from '@edgesync/bus-contract';
import { nuid, type Subscription } from '@nats-io/transport-node';
import type { Bus } from './bus.js';
import { ANNOUNCE_MS } from './tuning.js';

/** The current announcement of a worker. */
export interface WorkerState {
  /** `host:port` where it accepts connections. */
  readonly address: string;
  /** Sessions it has, and takes at most. */
  readonly load: number;
  readonly capacity: number;
  /** Sub-protocols it speaks. */
  readonly protocols: readonly string[];
}

/** Announces a worker at regular intervals, when it is asked to, and when it leaves. */
export class WorkerAnnouncer {
  private readonly timer: NodeJS.Timeout;
  private readonly rollCall: Subscription;

  /**
   * @param kind of workers, such as `replication`
   * @param interval between announcements, in milliseconds
   * @param id unique per run of the process
   */
  constructor(
    private readonly bus: Bus,
    private readonly kind: string,
    private readonly state: () => WorkerState,
    interval = ANNOUNCE_MS,
    readonly id: string = nuid.next(),
  ) {
    this.rollCall = bus.connection.subscribe(rollCallSubject(kind), { callback: () => this.announce() });
    this.timer = setInterval(() => this.announce(), interval);
    this.announce();
  }

  /** Announces outside of the regular interval. */
  announce(): void {
    this.send(false);
  }

  /** Says that the worker takes no more sessions, and falls silent. */
  async leave(): Promise<void> {
    clearInterval(this.timer);
    if (this.bus.connection.isClosed()) return;
    this.rollCall.unsubscribe();
    this.send(true);
    await this.bus.flush();
  }

  private send(leaving: boolean): void {
    // What is sent while the connection is away would arrive late and be wrong.
    if (!this.bus.connected) return;
    const { address, load, capacity, protocols } = this.state();
    const announcement = new WorkerAnnouncement(this.id, address, load, capacity, protocols, leaving);
    this.bus.publish(
      workerSubject(this.kind, this.id),
      encodeMessage(MessageKind.event, WorkerAnnouncement.version, announcement),
    );
  }
}
