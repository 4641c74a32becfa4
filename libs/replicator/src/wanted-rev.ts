import type { ChangeRow } from '@edgesync/ports';

/** A revision that the peer asked for. */
export interface WantedRev {
  readonly id: string;
  /**
   * JSON text of the sequence, the same as in the list that offered the revision (docs/protocol/replication.md#rev).
   */
  readonly sequence: string;
  /** Both IDs of the revision as they were when it was offered, and what they descend from. */
  readonly rev: string;
  readonly vector: string;
  readonly tree: string;
  readonly deleted: boolean;
  /** As text or in UTF-8; absent if it is still to be read. */
  readonly body?: string | Uint8Array;
  /** Size of the body in bytes, approximately. */
  readonly bodySize: number;
  /** Whether the body may refer to blobs. */
  readonly blobs: boolean;
  /** Revisions that the peer holds, newest first. */
  readonly listed: readonly string[];
  /** Those of them that a delta may be made against; absent: all. */
  readonly bases?: readonly string[];
}

/** @param listed see {@link WantedRev.listed} */
export function wantedRev(row: ChangeRow, listed: readonly string[]): WantedRev {
  const { id, rev, vector, tree, deleted, body, bodySize, blobs = true } = row;
  const sequence = String(row.sequence);
  return { id, sequence, rev, vector, tree, deleted, body, bodySize, blobs, listed };
}
