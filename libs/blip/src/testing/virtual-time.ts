import type { Scheduler } from '@edgesync/async';

/** A scheduler whose time passes only on request. For tests and simulations. */
export class VirtualTime implements Scheduler {
  /** Milliseconds since the start. */
  now = 0;
  private timers: { readonly at: number; readonly order: number; readonly callback: () => void }[] = [];
  private order = 0;

  schedule(delayMs: number, callback: () => void): () => void {
    const timer = { at: this.now + delayMs, order: this.order++, callback };
    let at = this.timers.length;
    while (at > 0 && this.timers[at - 1]!.at > timer.at) at--;
    this.timers.splice(at, 0, timer);
    return () => {
      this.timers = this.timers.filter((other) => other !== timer);
    };
  }

  /** Lets time pass, calling back what falls due, and lets promises settle in between. */
  async advance(milliseconds: number): Promise<void> {
    const end = this.now + milliseconds;
    for (;;) {
      this.callBackWhatIsDue();
      const before = this.order;
      await settlePromises();
      if (this.order !== before) continue;
      const next = this.timers[0];
      if (!next || next.at > end) break;
      this.now = next.at;
    }
    this.now = end;
  }

  /** Lets time pass, from timer to timer, until the promise has settled. */
  async until<Result>(promise: Promise<Result>): Promise<Result> {
    let isSettled = false;
    const settled = () => (isSettled = true);
    promise.then(settled, settled);
    await this.advance(0);
    while (!isSettled) {
      const next = this.timers[0];
      if (!next) throw new Error('nothing is left to wait for');
      await this.advance(Math.max(0, next.at - this.now));
    }
    return promise;
  }

  private callBackWhatIsDue(): void {
    while (this.timers[0] && this.timers[0].at <= this.now) this.timers.shift()!.callback();
  }
}

/** Resolves after the promise callbacks that are ready now and those that follow from them. */
async function settlePromises(): Promise<void> {
  for (let turn = 0; turn < 50; turn++) await Promise.resolve();
}
