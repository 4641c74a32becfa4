/** Constants of the replication service, each with its reason. */

/** Connected apps at once. An idle one takes about 100 kB, so this many fit into half a gigabyte. */
export const MAX_PEERS = 5_000;

/** Upgrades being authenticated at once; more are told to come later. Each holds a socket and little else. */
export const MAX_PENDING_UPGRADES = 1_000;

/** Longest pause between two attempts to reach another server (wire I.4). */
export const LONGEST_RETRY_MS = 300_000;

/** A replication that is not continuous is given up after so many further attempts (wire I.4). */
export const ONE_SHOT_RETRIES = 9;

/** A connection that lasted this long was a good one: the next failure is the first again (wire I.4). */
export const GOOD_CONNECTION_MS = 60_000;

/** How long a replication that ended is still shown (ref 6.16). */
export const SHOWN_AFTER_END_MS = 10_000;

/**
 * How long a replication that is stopped may take to save where it is, and an app to finish when the server stops. Then
 * the connection is cut.
 */
export const STOP_MS = 3_000;
