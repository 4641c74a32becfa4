import type { ReplicationConfig } from '@edgesync/config';

/** `Offline`: it waits to try again. `Idle`: connected, and nothing is left to do. `Stopped`: it will not go on. */
export type ReplicationActivity = 'Stopped' | 'Offline' | 'Connecting' | 'Idle' | 'Active';

/**
 * A replication as `_replicate` and `_active_tasks` show it (docs/protocol/rest.md#replications). It holds no secrets.
 */
export interface ReplicationTask {
  readonly task_id: number;
  /** The same number. */
  readonly session_id: number;
  /** Whole seconds. */
  readonly age_secs: number;
  readonly type: 'replication';
  /** The names of the definition; a URL without what was secret in it. */
  readonly source: string;
  readonly target: string;
  /** Present only when true. */
  readonly continuous?: true;
  readonly bidirectional?: true;
  /** Unix seconds at which something changed last. */
  readonly updated_on: number;
  readonly status: ReplicationActivity;
  /** Percent of the known work that is done; present only while there is work. */
  readonly progress?: number;
  /** Present only when over zero; which of the three depends on the direction: pull, push, both. */
  readonly docs_read?: number;
  readonly docs_written?: number;
  readonly docs_transferred?: number;
  /** Documents that are known to wait, in both directions. */
  readonly docs_pending: number;
  /** Documents that were refused for good, by either side. */
  readonly docs_failed?: number;
  readonly conflicts_resolved?: number;
  /** Bytes on the wire since the replication was started. */
  readonly bytes_received: number;
  readonly bytes_sent: number;
  /** Unix seconds at which both sides were last equal, as far as this side knows. */
  readonly last_success?: number;
  /** Unix seconds of the next attempt, while it waits for that. */
  readonly next_retry?: number;
  /** Why it is offline or has stopped (ref Appendix A). */
  readonly error?: ReplicationFault;
}

export interface ReplicationFault {
  readonly error: string;
  readonly 'x-litecore-domain': number;
  readonly 'x-litecore-code': number;
}

/** Starts, shows and stops replications with other servers, wherever they run. */
export interface ReplicationControl {
  /**
   * Starts a replication; whether the remote server can be reached shows later in its status.
   * @param definition as from the configuration file, but with certificates and keys as PEM text
   * @returns its number
   * @throws EdgeError `request.invalid` for a definition that cannot be, `keyspace.unknown` for a database that is not
   * served, `replication.running` if one of the same pair and collections runs already, `replication.limit`
   */
  start(definition: ReplicationConfig): Promise<number>;
  /** Oldest first, those that have ended too, until they are deleted or too many have ended after them. */
  list(): Promise<readonly ReplicationTask[]>;
  status(id: number): Promise<ReplicationTask | undefined>;
  /** Begins to stop one that runs, which leaves the list after it; removes one that has ended. @returns whether it is listed */
  delete(id: number): Promise<boolean>;
}
