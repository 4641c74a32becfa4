import { ChangedSignal, changedSubject, decodeMessage } from '@edgesync/bus-contract';
import { keyspaceKey, type Keyspace } from '@edgesync/document';
import { isEdgeError } from '@edgesync/errors';
import type { ChangedEvent, CollectionInfo } from '@edgesync/ports';
import type { Msg, Subscription } from '@nats-io/transport-node';
import type { Bus } from './bus.js';

type Listener = (event: ChangedEvent) => void;

interface Watched {
  readonly keyspace: Keyspace;
  readonly listeners: Set<Listener>;
  readonly subscription: Subscription;
}

/**
 * Doorbells on the receiving side: one subscription per keyspace however many listen. Doorbells that rang while the
 * connection was away are made up for.
 */
export class Watchers {
  private readonly watched = new Map<string, Watched>();
  private readonly stopFollowing: () => void;

  /** @param look where a collection stands now */
  constructor(
    private readonly bus: Bus,
    private readonly look: (keyspace: Keyspace) => Promise<CollectionInfo>,
    private readonly report: (error: unknown) => void = () => undefined,
  ) {
    this.stopFollowing = bus.onChange((connected) => {
      if (connected) for (const watched of this.watched.values()) void this.catchUp(watched);
    });
  }

  watch(keyspace: Keyspace, listener: Listener): () => void {
    const key = keyspaceKey(keyspace);
    const watched = this.watched.get(key) ?? this.subscribe(key, keyspace);
    // The same function may be given twice; each of them is its own listener.
    const own: Listener = (event) => listener(event);
    watched.listeners.add(own);
    return () => {
      if (!watched.listeners.delete(own) || watched.listeners.size > 0) return;
      this.watched.delete(key);
      this.unsubscribe(watched);
    };
  }

  close(): void {
    this.stopFollowing();
    for (const watched of this.watched.values()) this.unsubscribe(watched);
    this.watched.clear();
  }

  private subscribe(key: string, keyspace: Keyspace): Watched {
    const listeners = new Set<Listener>();
    const subscription = this.bus.connection.subscribe(changedSubject(keyspace), {
      callback: (error, message) => {
        const sequence = error ? undefined : sequenceOf(message);
        if (sequence !== undefined) this.ring(watched, sequence);
      },
    });
    const watched = { keyspace, listeners, subscription };
    this.watched.set(key, watched);
    return watched;
  }

  private unsubscribe({ subscription }: Watched): void {
    if (!this.bus.connection.isClosed()) subscription.unsubscribe();
  }

  private async catchUp(watched: Watched): Promise<void> {
    try {
      this.ring(watched, (await this.look(watched.keyspace)).lastSequence);
    } catch {
      // Storage is away as well: listeners also wake by timer.
    }
  }

  private ring({ keyspace, listeners }: Watched, sequence: number): void {
    for (const listener of [...listeners])
      try {
        listener({ keyspace, sequence });
      } catch (error) {
        // The fault of one must not reach the others, nor the connection.
        this.report(error);
      }
  }
}

function sequenceOf(message: Msg): number | undefined {
  try {
    return ChangedSignal.parse(decodeMessage(message.data)).sequence;
  } catch (error) {
    if (isEdgeError(error)) return undefined;
    throw error;
  }
}
