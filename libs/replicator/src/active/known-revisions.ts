/** The revision that the server is known to have of documents that were transferred lately. Bounded. */
export class KnownRevisions {
  private readonly revs = new Map<string, string>();

  constructor(private readonly limit: number) {}

  get(id: string): string | undefined {
    return this.revs.get(id);
  }

  set(id: string, rev: string): void {
    this.revs.delete(id);
    if (this.revs.size >= this.limit) this.revs.delete(this.revs.keys().next().value as string);
    this.revs.set(id, rev);
  }
}
