import { redact } from '@edgesync/platform';
import type { ReplicationTask } from '@edgesync/ports';
import type { Replication } from './replication.js';

const seconds = (milliseconds: number): number => Math.floor(milliseconds / 1_000);

/**
 * A replication as `_replicate` and `_active_tasks` show it (docs/protocol/rest.md#replications), apart from its
 * number, type and age.
 */
export function describeReplication(
  replication: Replication,
): Omit<ReplicationTask, 'task_id' | 'session_id' | 'type' | 'age_secs'> {
  const { plan, failure, lastSuccess, nextRetry, progress, conflicts, documentsFailed } = replication;
  const { documents, bytes } = replication.traffic;
  const isBoth = plan.push && plan.pull;
  const count = documents.sent + documents.received;
  return {
    source: plan.source,
    target: plan.target,
    ...(plan.continuous && { continuous: true }),
    ...(isBoth && { bidirectional: true }),
    updated_on: seconds(replication.updatedAt),
    status: replication.activity,
    ...(progress !== undefined && { progress }),
    ...(count > 0 && { [isBoth ? 'docs_transferred' : plan.push ? 'docs_written' : 'docs_read']: count }),
    docs_pending: replication.pending,
    ...(documentsFailed > 0 && { docs_failed: documentsFailed }),
    ...(conflicts > 0 && { conflicts_resolved: conflicts }),
    bytes_received: bytes.received,
    bytes_sent: bytes.sent,
    ...(lastSuccess !== undefined && { last_success: seconds(lastSuccess) }),
    ...(nextRetry !== undefined && { next_retry: Math.ceil(nextRetry / 1_000) }),
    ...(failure && {
      error: { error: redact(failure.message), 'x-litecore-domain': failure.domain, 'x-litecore-code': failure.code },
    }),
  };
}
