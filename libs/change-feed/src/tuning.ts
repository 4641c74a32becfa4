/** Constants of the feed, each with its reason. */
export interface FeedTuning {
  /** Rows per page unless the subscriber says otherwise. */
  readonly pageRows: number;
  /**
   * Least time between two wake-ups of the subscribers of one collection, and what every subscriber adds to it: a lone
   * change goes out at once, a burst is read in few pages, and with many subscribers each gets fewer, fuller pages.
   */
  readonly coolingMs: number;
  readonly coolingPerSubscriberMs: number;
  readonly longestCoolingMs: number;
  /** Subscribers look at the log this often even if no doorbell rang: a lost event costs this much and no data. */
  readonly safetyMs: number;
  /**
   * Pages kept for other subscribers at the same place, at least and up to twice as many, and for how long: long enough
   * for all that were woken together.
   */
  readonly sharedPages: number;
  readonly sharedPageMs: number;
  /** With more document IDs than this the log is scanned instead of looking every document up for every page. */
  readonly lookedUpIds: number;
}

export const FEED_TUNING: FeedTuning = {
  pageRows: 200,
  coolingMs: 10,
  coolingPerSubscriberMs: 0.15,
  longestCoolingMs: 200,
  safetyMs: 15_000,
  sharedPages: 2,
  sharedPageMs: 1_000,
  lookedUpIds: 500,
};
