/** A map of bounded size that keeps what was set last. */
export class BoundedMap<K, V> {
  private readonly entries = new Map<K, V>();

  constructor(private readonly limit: number) {}

  get size(): number {
    return this.entries.size;
  }

  get(key: K): V | undefined {
    return this.entries.get(key);
  }

  set(key: K, value: V): void {
    this.entries.delete(key);
    if (this.entries.size >= this.limit) this.entries.delete(this.entries.keys().next().value as K);
    this.entries.set(key, value);
  }

  delete(key: K): boolean {
    return this.entries.delete(key);
  }
}

/**
 * Sequences under which revisions of the peer were stored. Offering them back would cost a row and an answer each
 * (docs/protocol/replication.md#after-catching-up). Bounded: a forgotten one is offered, and the peer answers that it has it.
 */
export class EchoFilter {
  private readonly sequences: BoundedMap<number, true>;

  constructor(limit: number) {
    this.sequences = new BoundedMap(limit);
  }

  add(sequence: number): void {
    this.sequences.set(sequence, true);
  }

  get isEmpty(): boolean {
    return this.sequences.size === 0;
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
  private readonly heads: BoundedMap<string, string>;

  constructor(limit: number) {
    this.heads = new BoundedMap(limit);
  }

  get(peer: string, collection: string, id: string): string | undefined {
    return this.heads.size === 0 ? undefined : this.heads.get(`${peer}\n${collection}\n${id}`);
  }

  remember(peer: string, collection: string, id: string, head: string): void {
    this.heads.set(`${peer}\n${collection}\n${id}`, head);
  }
}
