/** A revision that was asked for. */
export interface AskedFor {
  readonly id: string;
  /** Approximate bytes, if the server said. */
  readonly bodySize?: number;
}

interface Asked {
  revs: number;
  bytes: number;
}

const USUAL_BYTES = 1_000;

/**
 * Revisions that a puller has asked for and not stored yet. Servers send what is asked for as fast as the link takes
 * it, so a puller whose storage is slower must ask for less (docs/protocol/replication.md#changes).
 */
export class PullWindow {
  private readonly asked = new Map<string, Asked>();
  private revs = 0;
  private bytes = 0;
  private waiting: (() => void)[] = [];

  constructor(private readonly limit: Asked) {}

  /** Revisions that are under way. */
  get size(): number {
    return this.revs;
  }

  add({ id, bodySize = USUAL_BYTES }: AskedFor): void {
    const asked = this.asked.get(id) ?? { revs: 0, bytes: 0 };
    asked.revs++;
    asked.bytes += bodySize;
    this.asked.set(id, asked);
    this.revs++;
    this.bytes += bodySize;
  }

  /** A revision of the document is stored, or will not come. */
  settle(id: string): void {
    const asked = this.asked.get(id);
    if (!asked) return;
    const bytes = asked.bytes / asked.revs;
    this.revs--;
    this.bytes -= bytes;
    asked.bytes -= bytes;
    if (--asked.revs === 0) this.asked.delete(id);
    this.wake();
  }

  /** Resolves when more may be asked for. */
  whenOpen(): Promise<void> {
    return this.when(() => this.revs === 0 || (this.revs < this.limit.revs && this.bytes < this.limit.bytes));
  }

  /** Resolves when nothing of these documents is under way. */
  whenSettled(ids: readonly string[]): Promise<void> {
    return this.when(() => !ids.some((id) => this.asked.has(id)));
  }

  /** Nothing will come any more. */
  close(): void {
    this.asked.clear();
    this.revs = this.bytes = 0;
    this.wake();
  }

  private async when(condition: () => boolean): Promise<void> {
    while (!condition()) await new Promise<void>((resolve) => this.waiting.push(resolve));
  }

  private wake(): void {
    for (const resolve of this.waiting.splice(0)) resolve();
  }
}
