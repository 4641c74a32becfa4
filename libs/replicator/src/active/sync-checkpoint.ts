import type { SequenceText } from '@edgesync/sync-protocol';

/** How far both directions of a collection have come (wire D.2). */
export interface SyncCheckpoint {
  /** Last local sequence up to which everything has been pushed. */
  readonly local?: number;
  /** Last remote sequence up to which everything has been pulled, as JSON text. */
  readonly remote?: SequenceText;
}

/** The JSON to store here and at the server. The remote sequence stands in it as it came. */
export function encodeCheckpoint({ local, remote }: SyncCheckpoint): string {
  const members = [
    ...(local === undefined ? [] : [`"local":${local}`]),
    ...(remote === undefined ? [] : [`"remote":${remote}`]),
  ];
  return `{${members.join(',')}}`;
}

/** Reads a stored checkpoint; what cannot be read is no checkpoint. */
export function decodeCheckpoint(body: string | undefined): SyncCheckpoint {
  try {
    const { local, remote } = JSON.parse(body ?? '{}') as { local?: unknown; remote?: unknown };
    return {
      ...(Number.isSafeInteger(local) && { local: local as number }),
      ...((typeof remote === 'number' || typeof remote === 'string') && { remote: JSON.stringify(remote) }),
    };
  } catch {
    return {};
  }
}

/**
 * Where to start, given what both sides remember (wire D.3). They differ if one of them was restored or replaced: then
 * the earlier place is the safe one, and where "earlier" cannot be told, the beginning.
 */
export function reconcile(ours: SyncCheckpoint, theirs: SyncCheckpoint): SyncCheckpoint {
  const local = ours.local !== undefined && theirs.local !== undefined ? Math.min(ours.local, theirs.local) : undefined;
  const remote = earlier(ours.remote, theirs.remote);
  return { ...(local !== undefined && { local }), ...(remote !== undefined && { remote }) };
}

function earlier(left: SequenceText | undefined, right: SequenceText | undefined): SequenceText | undefined {
  if (left === right) return left;
  if (left === undefined || right === undefined) return undefined;
  const [a, b] = [Number(left), Number(right)];
  return Number.isSafeInteger(a) && Number.isSafeInteger(b) ? String(Math.min(a, b)) : undefined;
}
