import QuickLRU from 'quick-lru';

/**
 * Sequences under which revisions of the peer were stored. Offering them back would cost a row and an answer each
 * (docs/protocol/replication.md#after-catching-up). Bounded: a forgotten one is offered, and the peer answers that it has it.
 */
export class EchoFilter {
  /** Nothing was ever added. */
  isEmpty = true;
  private readonly sequences: QuickLRU<number, true>;

  constructor(limit: number) {
    this.sequences = new QuickLRU({ maxSize: limit });
  }

  add(sequence: number): void {
    this.isEmpty = false;
    this.sequences.set(sequence, true);
  }

  /** Whether the row is an echo; each is asked for once. */
  take(sequence: number): boolean {
    return this.sequences.delete(sequence);
  }
}

/**
 * The legacy rev-tree ID that a versioned client keeps for a document. A client that upgraded its database wants that ID
 * at the end of every later history of the document, and its `changes` reply does not always name it
 * (docs/protocol/revisions.md#sending-to-version-vector-clients). Bounded: a forgotten one costs the client a conflict
 * that its resolver settles.
 */
export class LegacyMemory {
  private readonly heads: QuickLRU<string, string>;

  constructor(limit: number) {
    this.heads = new QuickLRU({ maxSize: limit });
  }

  get(peer: string, collection: string, id: string): string | undefined {
    return this.heads.get(`${peer}\n${collection}\n${id}`);
  }

  remember(peer: string, collection: string, id: string, head: string): void {
    this.heads.set(`${peer}\n${collection}\n${id}`, head);
  }
}
