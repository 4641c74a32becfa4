/*
 * Every limit and delay of the bus. Times are milliseconds.
 */

/** How long a call may take in all, unless the caller says otherwise. */
export const CALL_MS = 10_000;
/** How long a call waits for an owner to appear or for the connection to come back: REST answers 503 after it. */
export const PATIENCE_MS = 3_000;
/** An attempt without an answer is repeated after this; the next ones wait twice as long each. Losses are rare. */
export const ATTEMPT_MS = 2_000;
/** Pauses between attempts. */
export const PAUSES = { firstMs: 20, longestMs: 250, jitter: 0.5 };
/** Pauses between attempts to connect for the first time. */
export const CONNECT_PAUSES = { firstMs: 250, longestMs: 5_000 };

/** Calls a client has under way, and more that wait for their turn. Beyond it callers are refused for now. */
export const CLIENT_CALLS = 256;
export const CLIENT_QUEUE = 4_096;

/** Documents that are asked for one by one in the same turn and read with one request. */
export const READS_PER_REQUEST = 32;

/** A reader of the log is read ahead for if it comes back within this time; what it does not take by then is dropped. */
export const READ_AHEAD_MS = 200;
/** How many pages of it are read at once, as long as they are not larger than this: one message of NATS. */
export const READ_AHEAD_FACTOR = 4;
export const READ_AHEAD_BYTES = 640 * 1_024;
/** Bytes kept for all readers. Beyond it they get what they ask for. */
export const READ_AHEAD_TOTAL_BYTES = 16 * 1_024 * 1_024;

/** Requests a server works on at a time: enough for a full group commit. */
export const SERVER_REQUESTS = 256;
/** Requests that wait, in number and bytes. */
export const SERVER_QUEUE = 4_096;
export const SERVER_QUEUE_BYTES = 64 * 1_024 * 1_024;
/** Large values on their way at a time; each holds at most a window of chunks. */
export const SERVER_STREAMS = 64;

/** Pieces of a large value. Smaller than NATS's default limit of 1 MB, so that others get their turn between them. */
export const CHUNK_BYTES = 256 * 1_024;
/** Chunks on their way before the receiver must have taken the first. */
export const WINDOW_CHUNKS = 8;
/** Both ends of a transfer show that they are alive at least this often … */
export const ALIVE_MS = 1_000;
/** … and give up when nothing comes for this long. */
export const STALL_MS = 4_000;
/** Set aside in a message for what the server counts beside the payload. */
export const PAYLOAD_RESERVE = 1_024;

/** How long a process that stops waits for NATS to take its last messages. A server that hangs is noticed much later. */
export const GOODBYE_MS = 1_000;

/** Doorbells of a collection are at least this far apart. The first one of a burst rings at once. */
export const DOORBELL_MS = 5;

/** Life of a lease that is not renewed. It bounds how long a database stays without an owner after a crash. */
export const LEASE_MS = 5_000;
/**
 * The same where NATS is a cluster. After it lost the leader of the bucket it takes up to 9 s until another is a candidate, and
 * some more on busy boxes until it leads: a lease must outlive that, counted from its last renewal and less the margin.
 */
export const CLUSTER_LEASE_MS = 20_000;
/** The holder stops this fraction of the life early: clocks of boxes run at slightly different speeds. */
export const LEASE_MARGIN = 0.15;
/** Renewals per life, at least … */
export const LEASE_RENEWALS = 4;
/** … and this often: what has passed since the last one is missing when NATS is away. */
export const LEASE_RENEWAL_MS = 1_000;
/** How often a process that wants a database looks whether it is free. */
export const LEASE_RETRY_MS = 500;
/** Extra wait per database already owned, so that several storage processes share what is free. */
export const LEASE_SHARING_MS = 150;

/** How often a worker announces itself, and how long it counts without doing so. */
export const ANNOUNCE_MS = 1_000;
export const ANNOUNCEMENT_LIFE_MS = 3_500;

/** How long a worker has to report the traffic of its sessions. It is shown without that afterwards. */
export const TRAFFIC_MS = 1_000;
/** Extra wait per name that a worker is trying to get already, so that workers which start together share. */
export const REPLICATION_SHARING_MS = 100;
/*
 * The table of replications and the definitions are in the memory of NATS. At their limits they need 24 MB of it: 16 MB of
 * definitions, 6 MB of those that three workers are about to enter or to refuse, and the table as it was and as it becomes.
 */

/** A sealed definition: certificates and long lists of documents included. */
export const MAX_DEFINITION_BYTES = 256 * 1_024;
/** Replications that a worker is starting at a time: it stores their definitions before it knows whether there is room. */
export const WORKER_STARTS = 8;
/** How often a worker looks at the table of replications if no doorbell rings. */
export const RECORDS_LOOK_MS = 1_000;
/** How long NATS may take to read or write an entry of it, and how long a change may be repeated because others were faster. */
export const RECORDS_ANSWER_MS = 2_000;
export const RECORDS_CHANGE_MS = 5_000;
/** A definition without a row is that old before it counts as left behind. */
export const STRAY_DEFINITION_MS = 600_000;

/** How long a worker may take to start a replication, before another one is asked … */
export const START_MS = 4_000;
/** … and to report how its replications are. */
export const STATUS_MS = 1_000;
/** How often a gateway looks for a worker while it knows none. */
export const WORKER_LOOK_MS = 50;
