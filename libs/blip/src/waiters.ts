/** Promises that wait for conditions which someone else makes true. */
export class Waiters {
  private waiting: { readonly isDone: () => boolean; readonly resolve: () => void }[] = [];

  /** Resolves when the condition holds at a {@link check}, at once if it does already. */
  when(isDone: () => boolean): Promise<void> {
    if (isDone()) return Promise.resolve();
    return new Promise((resolve) => this.waiting.push({ isDone, resolve }));
  }

  /** To be called whenever a condition may have become true. */
  check(): void {
    if (this.waiting.length === 0) return;
    const done = this.waiting.filter((waiter) => waiter.isDone());
    if (done.length === 0) return;
    this.waiting = this.waiting.filter((waiter) => !done.includes(waiter));
    for (const waiter of done) waiter.resolve();
  }
}
