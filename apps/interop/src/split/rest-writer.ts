/** Faults after which a client tries again. */
const PAUSE_MS = 20;

/**
 * Creates documents over REST, one after the other, and remembers which ones were acknowledged. It tries again after
 * 503 and after a connection that broke.
 */
export class RestWriter {
  /** Revision of each document whose creation was acknowledged. */
  readonly acknowledged = new Map<string, string>();
  /** 503 answers; every one must say when to try again. */
  refusals = 0;
  /** Creations whose reply was lost, and that a repetition found done. */
  private readonly found = new Set<string>();
  private running: Promise<void> | undefined;
  private stopped = false;

  constructor(
    private readonly url: string,
    private readonly prefix: string,
  ) {}

  start(): void {
    this.running = this.run();
  }

  /** Stops after the document under way. @throws what the server answered and should not have */
  async stop(): Promise<void> {
    this.stopped = true;
    await this.running;
  }

  /** @throws Error if a document is missing or was written twice */
  async check(): Promise<void> {
    for (const [id, rev] of this.acknowledged) {
      const reply = await fetch(`${this.url}/${id}`);
      const { _rev } = (await reply.json()) as { _rev?: string };
      if (reply.status !== 200 || _rev !== rev) throw new Error(`${id} was ${rev} and is ${reply.status} ${_rev}`);
      if (!rev.startsWith('1-')) throw new Error(`${id} was created as ${rev}`);
    }
    for (const id of this.found) {
      const reply = await fetch(`${this.url}/${id}`);
      const { _rev } = (await reply.json()) as { _rev?: string };
      if (!_rev?.startsWith('1-')) throw new Error(`${id} was created more than once: ${_rev}`);
    }
  }

  private async run(): Promise<void> {
    for (let number = 0; !this.stopped; number++) await this.create(`${this.prefix}-${number}`);
  }

  private async create(id: string): Promise<void> {
    for (let lost = false; ;) {
      const reply = await fetch(`${this.url}/${id}`, {
        method: 'PUT',
        headers: { 'content-type': 'application/json' },
        body: JSON.stringify({ id }),
      }).catch(() => undefined);
      const text = await reply?.text().catch(() => undefined);
      if (reply?.status === 201 && text !== undefined) {
        this.acknowledged.set(id, (JSON.parse(text) as { rev: string }).rev);
        return;
      }
      // The first attempt may have been carried out without an answer: after 503, too, if it was given up meanwhile.
      if (reply?.status === 409 && lost) {
        this.found.add(id);
        return;
      }
      if (reply?.status === 503) {
        this.refusals++;
        if (!reply.headers.has('retry-after')) throw new Error(`${id}: 503 without Retry-After: ${text}`);
      } else if (reply && text !== undefined) throw new Error(`${id}: ${reply.status} ${text}`);
      lost = true;
      await new Promise((resolve) => setTimeout(resolve, PAUSE_MS));
    }
  }
}
