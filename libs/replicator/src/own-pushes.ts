/**
 * Sequences under which the peer's own revisions were stored. Offering them back would cost a row and an answer each
 * (docs/protocol/replication.md#after-catching-up). Bounded: what is forgotten is offered, and the peer answers that it
 * has it.
 */
export class OwnPushes {
  private readonly sequences = new Set<number>();

  constructor(private readonly limit: number) {}

  add(sequence: number): void {
    if (this.sequences.size >= this.limit) this.sequences.delete(this.sequences.values().next().value as number);
    this.sequences.add(sequence);
  }

  get isEmpty(): boolean {
    return this.sequences.size === 0;
  }

  /** Whether the row is the peer's own; each is asked for once. */
  take(sequence: number): boolean {
    return this.sequences.delete(sequence);
  }
}
