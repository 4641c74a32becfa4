import { createDelta, keyspaceKey, type Keyspace } from '@edgesync/document';
import type { DocumentStore } from '@edgesync/ports';
import QuickLRU from 'quick-lru';

export interface Delta {
  /** The revision it applies to, as the peer listed it. */
  readonly base: string;
  readonly json: string;
}

/** The revision to make a delta of. */
export interface DeltaTarget {
  readonly id: string;
  /** Rev-tree ID. */
  readonly rev: string;
  readonly body: string;
}

/** Larger deltas are not kept for others. */
const MAX_SHARED_CHARACTERS = 16_384;

/** Makes deltas, once for all peers that hold the same base. */
export class DeltaSource {
  private readonly shared: QuickLRU<string, Promise<Delta | undefined>>;

  constructor(
    private readonly storage: DocumentStore,
    limit: number,
  ) {
    this.shared = new QuickLRU({ maxSize: limit });
  }

  /**
   * The body as a delta against a revision that the peer listed: never against another one, for a client that lacks the
   * document crashes on it (docs/protocol/blobs-and-deltas.md#unlisted-bases). Undefined if no listed body is stored or
   * nothing is saved.
   * @throws EdgeError `storage.*`
   */
  async find(keyspace: Keyspace, target: DeltaTarget, listed: readonly string[]): Promise<Delta | undefined> {
    // The peer puts the base it would rather have first; a versioned peer lists a second one.
    for (const base of listed.slice(0, 2)) {
      const delta = await this.against(keyspace, target, base);
      if (delta) return delta;
    }
    return undefined;
  }

  private against(keyspace: Keyspace, target: DeltaTarget, base: string): Promise<Delta | undefined> {
    const key = `${keyspaceKey(keyspace)}\n${target.id}\n${target.rev}\n${base}`;
    const known = this.shared.get(key);
    if (known) return known;
    const delta = this.make(keyspace, target, base);
    this.shared.set(key, delta);
    const forget = (): void => void this.shared.delete(key);
    delta.then((made) => (made && made.json.length > MAX_SHARED_CHARACTERS ? forget() : undefined), forget);
    return delta;
  }

  private async make(keyspace: Keyspace, { id, body }: DeltaTarget, base: string): Promise<Delta | undefined> {
    const stored = await this.storage.readRevision(keyspace, id, base);
    if (!stored || stored.deleted) return undefined;
    const json = createDelta(stored.body, body);
    return json === undefined ? undefined : { base, json };
  }
}
