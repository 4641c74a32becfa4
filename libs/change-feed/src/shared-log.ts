import QuickLRU from 'quick-lru';
import type { Scheduler } from '@edgesync/async';
import type { Keyspace } from '@edgesync/document';
import type { ChangeLog, ChangePage, ChangesOptions } from '@edgesync/ports';
import type { FeedTuning } from './tuning.js';

/**
 * The log of one collection as all its subscribers see it: one listener for the doorbell, one slow timer, and one read
 * for all who stand at the same place.
 */
export class SharedLog {
  /** The highest sequence known to be committed. */
  head = 0;

  private readonly pages: QuickLRU<string, { readonly begun: number; readonly page: Promise<ChangePage> }>;
  private readonly waiting = new Set<() => void>();
  private readonly stopWatching: () => void;
  private users = 0;
  /** Counts who enters and what is read. */
  private events = 0;
  private isCooling = false;
  private rangWhileCooling = false;
  private stopCooling: () => void = () => {};
  private stopSafetyTimer: () => void = () => {};
  private stopForgetting: (() => void) | undefined;

  constructor(
    private readonly log: ChangeLog,
    private readonly keyspace: Keyspace,
    private readonly scheduler: Scheduler,
    private readonly tuning: FeedTuning,
    private readonly onUnused: () => void,
  ) {
    this.pages = new QuickLRU({ maxSize: tuning.sharedPages });
    this.stopWatching = log.watch(keyspace, ({ sequence }) => this.ring(sequence));
    this.armSafetyTimer();
  }

  /** @returns a number for {@link read} */
  enter(): number {
    this.users++;
    return this.mark();
  }

  /** @returns a number for {@link read}: what was read before now will not do */
  mark(): number {
    return ++this.events;
  }

  leave(): void {
    if (--this.users > 0) return;
    this.stopWatching();
    this.stopCooling();
    this.stopSafetyTimer();
    this.stopForgetting?.();
    this.pages.clear();
    this.onUnused();
  }

  /**
   * Reads a page, once for all who ask the same before the next commit and were here when it was begun: the doorbell may be
   * later than the acknowledgement of a write, which readers that enter after that must find.
   * @param entered what {@link enter} returned
   * @throws as `ChangeLog.changes`
   */
  read(options: ChangesOptions, entered: number): Promise<ChangePage> {
    if (options.ids) return this.readAlone(options);
    const { since, limit, body = true, activeOnly = false, utf8 = false } = options;
    const key = `${since}/${limit}/${body}/${activeOnly}/${body && utf8}`;
    const known = this.pages.get(key);
    if (known && known.begun > entered) return known.page;
    const begun = ++this.events;
    const page = this.readAlone(options);
    this.pages.set(key, { begun, page });
    page.catch(() => this.pages.delete(key));
    this.stopForgetting ??= this.scheduler.schedule(this.tuning.sharedPageMs, () => {
      this.stopForgetting = undefined;
      this.pages.clear();
    });
    return page;
  }

  /** Resolves after the next commit, or when it is time to look anyway. `cancel` gives up waiting and resolves too. */
  wait(): { readonly woken: Promise<void>; readonly cancel: () => void } {
    let wake!: () => void;
    const woken = new Promise<void>((resolve) => (wake = resolve));
    this.waiting.add(wake);
    const cancel = (): void => {
      this.waiting.delete(wake);
      wake();
    };
    return { woken, cancel };
  }

  private async readAlone(options: ChangesOptions): Promise<ChangePage> {
    const page = await this.log.changes(this.keyspace, options);
    if (page.lastSequence > this.head) this.head = page.lastSequence;
    return page;
  }

  private ring(sequence: number): void {
    if (sequence > this.head) this.head = sequence;
    this.pages.clear();
    if (this.isCooling) this.rangWhileCooling = true;
    // Not at once: who wrote the change should learn its sequence before a feed offers it.
    else this.cool(0, true);
  }

  private cool(delayMs: number, thenWake: boolean): void {
    this.isCooling = true;
    this.rangWhileCooling = thenWake;
    this.stopCooling = this.scheduler.schedule(delayMs, () => {
      this.isCooling = false;
      if (!this.rangWhileCooling) return;
      const { coolingMs, coolingPerSubscriberMs, longestCoolingMs } = this.tuning;
      this.cool(Math.min(coolingMs + coolingPerSubscriberMs * this.waiting.size, longestCoolingMs), false);
      this.wakeAll();
    });
  }

  private armSafetyTimer(): void {
    this.stopSafetyTimer = this.scheduler.schedule(this.tuning.safetyMs, () => {
      this.pages.clear();
      this.wakeAll();
      this.armSafetyTimer();
    });
  }

  private wakeAll(): void {
    const woken = [...this.waiting];
    this.waiting.clear();
    for (const wake of woken) wake();
  }
}
