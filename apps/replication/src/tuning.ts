/** Constants of the replication service, each with its reason. */

/** Connected apps at once. An idle one takes about 100 kB, so this many fit into half a gigabyte. */
export const MAX_PEERS = 5_000;

/** Upgrades being authenticated at once; more are told to come later. Each holds a socket and little else. */
export const MAX_PENDING_UPGRADES = 1_000;

/** Seconds after which a refused app is asked to try again. */
export const RETRY_AFTER_SECONDS = 5;
