import { EdgeError } from '@edgesync/errors';
import { type BlipMessage, type BlipReply, Properties, type ReplyInit, type RequestInit } from '@edgesync/blip';
import { readRows, receiverProperties, type ReceiverOptions } from './changes.js';
import { Profile } from './profile.js';
import { decodeJson, encodeText, readBoolean } from './values.js';

/** A row of `proposeChanges` (docs/protocol/replication.md#proposechanges). */
export interface Proposal {
  readonly id: string;
  /** Rev-tree ID, version, or a whole vector (docs/protocol/replication.md#proposechanges). */
  readonly rev: string;
  /** The last revision the pusher knows the receiver had; '' if it knows none. */
  readonly parent: string;
  readonly bodySize?: number;
}

export interface ProposeChanges {
  readonly rows: readonly Proposal[];
  /**
   * Whether a 409 may come as an object with the current revision. Older clients read that as "accepted"
   * (docs/protocol/replication.md#reply-to-proposechanges).
   */
  readonly conflictIncludesRev: boolean;
}

/** @throws EdgeError `request.json`, `request.invalid` */
export function parseProposeChanges(message: BlipMessage): ProposeChanges {
  const rows = readRows(message.body, 'proposeChanges').map(([id, rev, parent]) => {
    if (typeof id !== 'string' || typeof rev !== 'string')
      throw new EdgeError('request.invalid', 'a row of proposeChanges needs a document ID and a revision');
    return { id, rev, parent: typeof parent === 'string' ? parent : '' };
  });
  return { rows, conflictIncludesRev: readBoolean(message.properties, 'conflictIncludesRev') };
}

export function buildProposeChanges(rows: readonly Proposal[], collection?: string): RequestInit {
  const body = rows.map(({ id, rev, parent, bodySize }) =>
    bodySize === undefined ? [id, rev, parent] : [id, rev, parent, bodySize],
  );
  return {
    properties: Properties.from({ Profile: Profile.proposeChanges, collection, conflictIncludesRev: 'true' }),
    body: encodeText(JSON.stringify(body)),
    urgent: true,
    compressed: rows.length > 0,
  };
}

/** The answer to one row: 0 = send it, 304 = it is here, else refused. */
export interface ProposalAnswer {
  readonly status: number;
  /** The current revision, with a 409. */
  readonly rev?: string;
}

export function buildProposeReply(
  answers: readonly ProposalAnswer[],
  conflictIncludesRev: boolean,
  options: ReceiverOptions,
): ReplyInit {
  const body = answers.map(({ status, rev }) => (rev !== undefined && conflictIncludesRev ? { status, rev } : status));
  return { properties: receiverProperties(options), body: encodeText(JSON.stringify(body)), compressed: true };
}

/**
 * Reads the reply; rows it leaves out at the end are accepted.
 * @throws EdgeError `request.json`, `request.invalid`
 */
export function parseProposeReply(reply: BlipReply, rows: number): readonly ProposalAnswer[] {
  const entries = reply.body.length === 0 ? [] : decodeJson(reply.body);
  if (!Array.isArray(entries)) throw new EdgeError('request.invalid', 'the reply to proposeChanges is no array');
  const answers: ProposalAnswer[] = entries.slice(0, rows).map((entry: unknown) => {
    if (typeof entry === 'number') return { status: entry };
    if (typeof entry !== 'object' || entry === null) return { status: 0 };
    const { status, rev } = entry as { status?: unknown; rev?: unknown };
    return { status: typeof status === 'number' ? status : 500, ...(typeof rev === 'string' && { rev }) };
  });
  while (answers.length < rows) answers.push({ status: 0 });
  return answers;
}
