import type { FromThread } from './messages.js';
import { CONTROL } from './messages.js';
import { BATCH_CHARACTERS, BATCH_MS, BATCH_WINDOW, LARGE_BATCH_CHARACTERS } from './tuning.js';

/** The statement is to stop: nobody is waiting for it. */
export class Stopped extends Error {}

/** Sends the rows of one statement in batches, no faster than they are taken. */
export class Outlet {
  private json = '';
  private rows = 0;
  private total = 0;
  private sent = 0;
  private sentAt = performance.now();

  constructor(
    private readonly id: number,
    private readonly control: Int32Array,
    private readonly post: (message: FromThread) => void,
    /** Reads the messages that do not wait. */
    private readonly readMail: () => void,
  ) {}

  get rowsSent(): number {
    return this.total;
  }

  row(json: string): void {
    this.json = this.rows++ === 0 ? json : `${this.json},${json}`;
    this.total++;
    if (this.json.length >= BATCH_CHARACTERS) this.flush();
  }

  /** Called while the statement runs: sends what has waited. @throws Stopped */
  check(): void {
    if (Atomics.load(this.control, CONTROL.cancelled) === this.id) throw new Stopped();
    if (Atomics.load(this.control, CONTROL.mail) !== 0) this.readMail();
    if (this.rows > 0 && performance.now() - this.sentAt > BATCH_MS) this.flush();
  }

  /** The rows that were not sent yet. */
  take(): { readonly rows: number; readonly json: string } {
    const rest = { rows: this.rows, json: this.json };
    this.rows = 0;
    this.json = '';
    return rest;
  }

  private flush(): void {
    // A large batch goes alone, so that what is under way stays bounded in bytes too.
    const window = this.json.length > LARGE_BATCH_CHARACTERS ? 1 : BATCH_WINDOW;
    while (this.sent - Atomics.load(this.control, CONTROL.taken) >= window) this.wait(window);
    this.post({ type: 'rows', id: this.id, ...this.take() });
    this.sent++;
    this.sentAt = performance.now();
  }

  private wait(window: number): void {
    const taken = Atomics.load(this.control, CONTROL.taken);
    if (Atomics.load(this.control, CONTROL.cancelled) === this.id) throw new Stopped();
    if (Atomics.load(this.control, CONTROL.mail) !== 0) this.readMail();
    if (this.sent - taken >= window) Atomics.wait(this.control, CONTROL.taken, taken, WAIT_MS);
  }
}

/** A cancellation wakes the thread, but may come right before it goes to sleep. */
const WAIT_MS = 50;
