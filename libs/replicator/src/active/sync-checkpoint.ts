import type { SequenceText } from '@edgesync/sync-protocol';

/** How far both directions of a collection have come (docs/protocol/checkpoints.md#bodies). */
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
 * Where to start, given what both sides remember (docs/protocol/checkpoints.md#starting). They differ if one of them
 * was restored or replaced: then the earlier place is the safe one, and where "earlier" is not known, the beginning.
 */
export function reconcile(ours: SyncCheckpoint, theirs: SyncCheckpoint): SyncCheckpoint {
  const local = ours.local !== undefined && theirs.local !== undefined ? Math.min(ours.local, theirs.local) : undefined;
  const remote = earlier(ours.remote, theirs.remote);
  return { ...(local !== undefined && { local }), ...(remote !== undefined && { remote }) };
}

function earlier(left: SequenceText | undefined, right: SequenceText | undefined): SequenceText | undefined {
  if (left === right) return left;
  if (left === undefined || right === undefined) return undefined;
  const [a, b] = [placeOf(left), placeOf(right)];
  if (!a || !b) return undefined;
  if (a.safe !== b.safe) return a.safe < b.safe ? left : right;
  // What was sent again at a place comes before what belongs there (docs/protocol/checkpoints.md#sequences).
  if (a.isPlain !== b.isPlain) return a.isPlain ? right : left;
  return undefined;
}

/**
 * Up to where everything is certain to have been seen: of `S` that is S, of Sync Gateway's `T:S` it is T, of `L:T:S` and
 * `L::S` it is L.
 */
function placeOf(sequence: SequenceText): { readonly safe: number; readonly isPlain: boolean } | undefined {
  const text = sequence.replace(/^"(.*)"$/, '$1');
  if (!/^\d{1,15}(?::\d{0,15}){0,2}$/.test(text) || text.endsWith(':')) return undefined;
  return { safe: Number(text.split(':')[0]), isPlain: !text.includes(':') };
}
