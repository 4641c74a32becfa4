import { EdgeError } from '@edgesync/errors';
import { Flag, Integer, List, Word, WordOrInteger } from '../parameters/fields.js';
import { ShowCvQuery } from '../parameters/show-cv.js';
import {
  FEED_TIMEOUT_MS,
  HEARTBEAT_MS,
  LONGEST_FEED_TIMEOUT_MS,
  LONGEST_TIMER_MS,
  MAX_FEED_IDS,
  SHORTEST_HEARTBEAT_MS,
} from '../tuning.js';

const DOC_ID_FILTERS = ['_doc_ids', 'doc_ids'];

/** Channels mean nothing here, so all documents are in all of them (docs/protocol/rest.md#changes-feed). */
const CHANNEL_FILTERS = [
  'sync_gateway/bychannel',
  'sync_gateway/bychannels',
  '_sync_gateway/bychannel',
  '_sync_gateway/bychannels',
];

/** Parameters of `_changes`: in the URL, or as members of a POST body (docs/protocol/rest.md#changes-feed). */
export class ChangesParameters extends ShowCvQuery {
  @Word(
    'How the changes come. `normal`: those there are. `longpoll`: those there are, or else the next ones. `continuous`: ' +
      'those there are and all that follow, one a line. `sse`: the same as server-sent events; `eventsource` is ' +
      'another name for it.',
    ['normal', 'longpoll', 'continuous', 'sse', 'eventsource'],
  )
  feed: 'normal' | 'longpoll' | 'continuous' | 'sse' | 'eventsource' = 'normal';

  @WordOrInteger('Only changes after this sequence. `now`: only those to come.', ['now'])
  since: number | 'now' = 0;

  @Integer('The most changes to return. 0 means no limit.')
  limit = 0;

  @Flag('Newest first. What comes after that comes as it happens.')
  descending = false;

  @Flag('Add the document to every change.')
  include_docs = false;

  @Flag('Leave deleted documents out.')
  active_only = false;

  @Word('`main_only`: name the current revision. `all_docs`: name every leaf of the tree, the current one first.', [
    'main_only',
    'all_docs',
  ])
  style: 'main_only' | 'all_docs' = 'main_only';

  @Word('`_doc_ids`: only the documents of `doc_ids`. A filter by channels lets everything through.', [
    ...DOC_ID_FILTERS,
    ...CHANNEL_FILTERS,
  ])
  filter?: string;

  @List('Only changes of these documents, whether or not `filter` says so. A JSON array, or with commas between.', {
    most: MAX_FEED_IDS,
  })
  doc_ids?: string[];

  @WordOrInteger(
    'Milliseconds after which an idle feed sends a newline (as server-sent event a comment); then `timeout` does not count. ' +
      'Less than 5000 is 5000, `true` is 60000; 0 or `false` for none.',
    ['true', 'false'],
    { minimum: Number.MIN_SAFE_INTEGER },
  )
  heartbeat: number | 'true' | 'false' = 0;

  @Integer('Milliseconds after which an idle feed ends, at most 900000; 0 for never.')
  timeout = FEED_TIMEOUT_MS;
}

export type FeedMode = 'normal' | 'longpoll' | 'continuous' | 'sse';

/** A feed as a client requests it. */
export interface FeedRequest {
  readonly mode: FeedMode;
  readonly since: number | 'now';
  /** Most changes: a positive number, or Infinity. */
  readonly limit: number;
  readonly descending: boolean;
  readonly includeDocs: boolean;
  readonly showCv: boolean;
  readonly activeOnly: boolean;
  readonly allLeaves: boolean;
  readonly ids?: readonly string[];
  /** Milliseconds of idleness after which something is sent. */
  readonly heartbeatMs?: number;
  /** Milliseconds of idleness after which the feed ends. Not together with a heartbeat. */
  readonly timeoutMs?: number;
}

/** @throws EdgeError `request.parameter` for a filter by IDs without IDs */
export function readFeedRequest(parameters: ChangesParameters): FeedRequest {
  const { feed, since, limit, filter, doc_ids: ids } = parameters;
  if (filter !== undefined && DOC_ID_FILTERS.includes(filter) && !ids)
    throw new EdgeError('request.parameter', `the filter ${filter} needs doc_ids`);
  return {
    mode: feed === 'eventsource' ? 'sse' : feed,
    since,
    limit: limit === 0 ? Infinity : limit,
    descending: parameters.descending,
    includeDocs: parameters.include_docs,
    showCv: parameters.show_cv,
    activeOnly: parameters.active_only,
    allLeaves: parameters.style === 'all_docs',
    ...(ids && { ids }),
    ...readWait(parameters),
  };
}

function readWait({ heartbeat, timeout }: ChangesParameters): Pick<FeedRequest, 'heartbeatMs' | 'timeoutMs'> {
  const asked = heartbeat === 'true' ? HEARTBEAT_MS : heartbeat === 'false' ? 0 : heartbeat;
  if (asked > 0) return { heartbeatMs: Math.min(Math.max(asked, SHORTEST_HEARTBEAT_MS), LONGEST_TIMER_MS) };
  return timeout > 0 ? { timeoutMs: Math.min(timeout, LONGEST_FEED_TIMEOUT_MS) } : {};
}

/** The `Last-Event-ID` of a browser that connects again; undefined if we did not send it. */
export function readLastEventId(header: string | string[] | undefined): number | undefined {
  return typeof header === 'string' && /^\d{1,15}$/.test(header) ? Number(header) : undefined;
}
