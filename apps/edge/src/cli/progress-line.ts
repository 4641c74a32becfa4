/** Milliseconds between two lines where progress is not shown on a terminal. */
const LINE_INTERVAL = 5_000;
/** Milliseconds between two changes of the line on a terminal. */
const TERMINAL_INTERVAL = 100;

/** The part of a stream that progress is written to. */
export interface ProgressOutput {
  readonly isTTY?: boolean;
  readonly columns?: number;
  write(text: string): unknown;
}

/** Progress of a command: one line that changes on a terminal, a new line every few seconds elsewhere. */
export class ProgressLine {
  private shownAt: number;
  private isShown = false;

  constructor(
    private readonly output: ProgressOutput,
    private readonly now: () => number = Date.now,
  ) {
    this.shownAt = now();
  }

  show(text: string): void {
    const isTerminal = this.output.isTTY === true;
    const now = this.now();
    if (now - this.shownAt < (isTerminal ? TERMINAL_INTERVAL : LINE_INTERVAL)) return;
    this.shownAt = now;
    // A line that the terminal wraps could not be replaced.
    this.output.write(isTerminal ? `\r${text.slice(0, (this.output.columns ?? 80) - 1)}\x1b[K` : `${text}\n`);
    this.isShown = isTerminal;
  }

  /** Clears the line, before other output. */
  clear(): void {
    if (this.isShown) this.output.write('\r\x1b[K');
    this.isShown = false;
  }
}
