import { EdgeError } from '@edgesync/errors';
import type { QueryBatch, QueryResult, QuerySummary } from '@edgesync/ports';

/** The rows of one statement on their way from a thread to a reader. */
export class StatementResult implements QueryResult {
  summary: QuerySummary | undefined;
  private readonly batches: QueryBatch[] = [];
  private final: QuerySummary | undefined;
  private failure: { readonly error: unknown } | undefined;
  private wake: (() => void) | undefined;

  /**
   * @param taken a batch was taken
   * @param stop the reader is gone
   */
  constructor(
    private readonly taken: () => void,
    private readonly stop: () => void,
  ) {}

  push(batch: QueryBatch): void {
    this.batches.push(batch);
    this.wakeUp();
  }

  end(summary: QuerySummary): void {
    this.final = summary;
    this.wakeUp();
  }

  /** Rows that nobody has taken yet are lost. */
  fail(error: unknown): void {
    if (this.final) return;
    this.failure ??= { error };
    this.batches.length = 0;
    this.wakeUp();
  }

  cancel(): void {
    if (!this.final && !this.failure) this.stop();
    this.fail(new EdgeError('query.runtime', 'the result was given up'));
  }

  async *[Symbol.asyncIterator](): AsyncGenerator<QueryBatch, void, undefined> {
    try {
      for (;;) {
        const batch = this.batches.shift();
        if (batch) {
          this.taken();
          yield batch;
        } else if (this.failure) throw this.failure.error;
        else if (this.final) {
          this.summary = this.final;
          return;
        } else await new Promise<void>((resolve) => (this.wake = resolve));
      }
    } finally {
      this.cancel();
    }
  }

  private wakeUp(): void {
    this.wake?.();
    this.wake = undefined;
  }
}
