/** Constants of the replication service, each with its reason. */

/** Connected apps at once. An idle one takes about 100 kB, so this many fit into half a gigabyte. */
export const MAX_PEERS = 5_000;

/** Upgrades being authenticated at once; more are refused for now. Each holds a socket and little else. */
export const MAX_PENDING_UPGRADES = 1_000;

/** Pauses between two attempts to reach another server: the first and the longest, as with Couchbase Lite. */
export const RETRY_MS = 2_000;
export const LONGEST_RETRY_MS = 300_000;

/**
 * The same after a refusal, such as wrong credentials. What is put right at the other server shows within minutes; and a
 * server that locks out addresses or users after several failures is not driven to it.
 */
export const REFUSED_RETRY_MS = 10_000;
export const LONGEST_REFUSED_MS = 600_000;

/** A replication that is not continuous is given up after so many further attempts, as with Couchbase Lite. */
export const ONE_SHOT_RETRIES = 9;

/** A connection that lasted this long was a good one: the next failure is the first again. */
export const GOOD_CONNECTION_MS = 60_000;

/** How long a replication that was deleted while it ran is still shown. */
export const SHOWN_AFTER_DELETE_MS = 10_000;

/**
 * How long a replication that is stopped may take to save where it is, and an app to finish when the server stops. Then
 * the connection is cut.
 */
export const STOP_MS = 3_000;
