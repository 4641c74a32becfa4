import type { ReplicationRow, ReplicationTable } from '@edgesync/bus-contract';
import type { ReplicationTask } from '@edgesync/ports';

const seconds = (milliseconds: number): number => Math.floor(milliseconds / 1_000);

/**
 * The replications of a deployment as they are shown, in the order of their numbers.
 * @param running what workers said about those that they run
 * @param isComplete whether every worker said something: then one that nobody runs is about to be taken by one of them
 * @param now Unix milliseconds
 */
export function shownReplications(
  { rows }: ReplicationTable,
  running: readonly ReplicationTask[],
  isComplete: boolean,
  now: number,
): ReplicationTask[] {
  const byNumber = new Map(running.map((task) => [task.task_id, task]));
  return rows
    .filter(({ ended }) => !ended?.isHidden)
    .map((row) => ({
      ...(row.ended?.task ?? byNumber.get(row.number) ?? silent(row, isComplete)),
      // As long as there is this replication, whoever ran it meanwhile.
      age_secs: Math.max(0, seconds(now - row.since)),
    }));
}

/** What is known of a replication without asking whoever runs it. */
export function recordedTask({
  number,
  source,
  target,
  continuous,
  bidirectional,
  since,
}: ReplicationRow): ReplicationTask {
  return {
    task_id: number,
    session_id: number,
    age_secs: 0,
    type: 'replication',
    source,
    target,
    ...(continuous && { continuous: true }),
    ...(bidirectional && { bidirectional: true }),
    updated_on: seconds(since),
    status: 'Connecting',
    docs_pending: 0,
    bytes_received: 0,
    bytes_sent: 0,
  };
}

function silent(row: ReplicationRow, isComplete: boolean): ReplicationTask {
  const task = recordedTask(row);
  return isComplete ? task : { ...task, status: 'Offline', error: NOBODY_TELLS };
}

/** Domain 6 is that of HTTP statuses (ref Appendix A). */
const NOBODY_TELLS = {
  error: 'no replication worker tells how it is',
  'x-litecore-domain': 6,
  'x-litecore-code': 503,
};
