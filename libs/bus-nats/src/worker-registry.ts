import { decodeMessage, rollCallSubject, WorkerAnnouncement, workerSubjects } from '@edgesync/bus-contract';
import { isEdgeError } from '@edgesync/errors';
import type { Msg, Subscription } from '@nats-io/transport-node';
import type { Bus } from './bus.js';
import { ANNOUNCEMENT_LIFE_MS } from './tuning.js';

/** A worker as it last announced itself. */
export type Worker = Omit<WorkerAnnouncement, 'leaving'>;

interface Entry {
  readonly worker: Worker;
  readonly heardAt: number;
  /** Sessions sent there since it last announced its load. */
  assigned: number;
}

/** Which workers of a kind there are, by what they announced lately. */
export class WorkerRegistry {
  private readonly entries = new Map<string, Entry>();
  private readonly subscription: Subscription;
  private readonly stopFollowing: () => void;

  /**
   * @param life milliseconds an announcement counts
   * @param now a clock that is never set, in milliseconds
   */
  constructor(
    private readonly bus: Bus,
    private readonly kind: string,
    private readonly life = ANNOUNCEMENT_LIFE_MS,
    private readonly now: () => number = () => performance.now(),
  ) {
    this.subscription = bus.connection.subscribe(workerSubjects(kind), {
      callback: (error, message) => {
        if (!error) this.receive(message);
      },
    });
    this.callRoll();
    this.stopFollowing = bus.onChange((connected) => {
      if (connected) this.callRoll();
    });
  }

  /** Workers that are alive, in no particular order. */
  workers(): Worker[] {
    return this.alive().map(({ worker }) => worker);
  }

  /**
   * The least loaded worker that speaks `protocol` and has room; undefined: there is none. The session that is about to
   * go there is counted until the worker announces its load again, so that a burst is spread.
   * @param except workers that were tried in vain
   */
  choose(protocol: string, except: ReadonlySet<string> = new Set()): Worker | undefined {
    let best: Entry | undefined;
    for (const entry of this.alive()) {
      const { id, protocols, capacity } = entry.worker;
      if (except.has(id) || !protocols.includes(protocol) || loadOf(entry) >= capacity) continue;
      if (!best || loadOf(entry) < loadOf(best)) best = entry;
    }
    if (best) best.assigned++;
    return best?.worker;
  }

  close(): void {
    this.stopFollowing();
    if (!this.bus.connection.isClosed()) this.subscription.unsubscribe();
    this.entries.clear();
  }

  private alive(): Entry[] {
    const oldest = this.now() - this.life;
    for (const [id, { heardAt }] of this.entries) if (heardAt < oldest) this.entries.delete(id);
    return [...this.entries.values()];
  }

  private callRoll(): void {
    this.bus.publish(rollCallSubject(this.kind), new Uint8Array(0));
  }

  private receive(message: Msg): void {
    try {
      const { leaving, ...worker } = WorkerAnnouncement.parse(decodeMessage(message.data));
      if (leaving) this.entries.delete(worker.id);
      else this.enter(worker);
    } catch (error) {
      // Another release: its workers are not for us.
      if (!isEdgeError(error)) throw error;
    }
  }

  /** A worker that had the address before is dead. */
  private enter(worker: Worker): void {
    for (const [id, entry] of this.entries)
      if (id !== worker.id && entry.worker.address === worker.address) this.entries.delete(id);
    this.entries.set(worker.id, { worker, heardAt: this.now(), assigned: 0 });
  }
}

const loadOf = ({ worker, assigned }: Entry): number => worker.load + assigned;
