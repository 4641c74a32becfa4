import type { SequenceText } from '@edgesync/sync-protocol';

interface Tracked {
  readonly sequence: SequenceText;
  isDone: boolean;
}

/**
 * How far a transfer has come: the last sequence, in order of arrival, such that it and all before it are done
 * (docs/protocol/replication.md#norev). Revisions finish in any order; what is finished behind a gap does not count.
 */
export class SequenceTracker {
  private readonly open = new Map<SequenceText, Tracked>();
  private readonly line: Tracked[] = [];
  private lineStart = 0;
  private readonly deferred = new Set<SequenceText>();

  /** @param completed where an earlier transfer came to; undefined = nowhere */
  constructor(public completed: SequenceText | undefined) {}

  /** A sequence has been announced. */
  add(sequence: SequenceText): void {
    if (this.open.has(sequence)) return;
    const tracked = { sequence, isDone: false };
    this.open.set(sequence, tracked);
    this.line.push(tracked);
  }

  /** Nothing is left to do for a sequence. */
  complete(sequence: SequenceText): void {
    const tracked = this.open.get(sequence);
    if (!tracked) return;
    tracked.isDone = true;
    this.open.delete(sequence);
    this.deferred.delete(sequence);
    while (this.lineStart < this.line.length && this.line[this.lineStart]!.isDone)
      this.completed = this.line[this.lineStart++]!.sequence;
    if (this.lineStart < 1024 || this.lineStart * 2 < this.line.length) return;
    this.line.splice(0, this.lineStart);
    this.lineStart = 0;
  }

  /** Everything up to a sequence is done, if nothing before it is open. Skips rows that were never announced. */
  skipTo(sequence: SequenceText): void {
    if (this.open.has(sequence)) return;
    this.add(sequence);
    this.complete(sequence);
  }

  /** A sequence failed for now: this transfer does not wait for it, a later one does it. */
  defer(sequence: SequenceText): void {
    if (this.open.has(sequence)) this.deferred.add(sequence);
  }

  /** Sequences announced, not done, and not put off. */
  get openCount(): number {
    return this.open.size - this.deferred.size;
  }

  /** Sequences that a later transfer has to do. */
  get deferredCount(): number {
    return this.deferred.size;
  }
}
