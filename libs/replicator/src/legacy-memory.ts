/**
 * Which legacy rev-tree ID a versioned client keeps for a document. A client that upgraded its database wants that ID
 * at the end of every later history of the document, and its `changes` reply does not always say
 * (docs/protocol/revisions.md#sending-to-version-vector-clients). Bounded: what is forgotten costs the client a
 * conflict that its resolver settles.
 */
export class LegacyMemory {
  private readonly heads = new Map<string, string>();

  constructor(private readonly limit: number) {}

  get(peer: string, collection: string, id: string): string | undefined {
    return this.heads.size === 0 ? undefined : this.heads.get(`${peer}\n${collection}\n${id}`);
  }

  remember(peer: string, collection: string, id: string, head: string): void {
    const key = `${peer}\n${collection}\n${id}`;
    this.heads.delete(key);
    if (this.heads.size >= this.limit) this.heads.delete(this.heads.keys().next().value as string);
    this.heads.set(key, head);
  }
}
