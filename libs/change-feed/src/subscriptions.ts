import type { Scheduler } from '@edgesync/async';
import { keyspaceKey, type Keyspace } from '@edgesync/document';
import type { ChangeLog } from '@edgesync/ports';
import { SharedLog } from './shared-log.js';
import { Subscription, type SubscribeOptions } from './subscription.js';
import { FEED_TUNING, type FeedTuning } from './tuning.js';

/** All feeds of one process. The only place that waits for changes. */
export class Subscriptions {
  private readonly logs = new Map<string, SharedLog>();
  private readonly tuning: FeedTuning;

  constructor(
    private readonly log: ChangeLog,
    private readonly scheduler: Scheduler,
    tuning: Partial<FeedTuning> = {},
  ) {
    this.tuning = { ...FEED_TUNING, ...tuning };
  }

  /** Starts reading after `since`. To be closed by the caller. @throws EdgeError `keyspace.unknown` */
  subscribe(keyspace: Keyspace, options: SubscribeOptions): Subscription {
    return new Subscription(this.sharedLog(keyspace), options, this.tuning);
  }

  /** Number of collections that somebody is subscribed to. */
  get activeCollections(): number {
    return this.logs.size;
  }

  private sharedLog(keyspace: Keyspace): SharedLog {
    const key = keyspaceKey(keyspace);
    let shared = this.logs.get(key);
    if (!shared) {
      shared = new SharedLog(this.log, keyspace, this.scheduler, this.tuning, () => this.logs.delete(key));
      this.logs.set(key, shared);
    }
    return shared;
  }
}
