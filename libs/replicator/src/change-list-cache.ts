import type { ChangeRow } from '@edgesync/ports';
import { offeredId, type RevisionKind } from '@edgesync/revision';
import { encodeChangeRows, type ProtocolVersion } from '@edgesync/sync-protocol';

/** Encoded lists by the page they were made of: pages are shared by all who wait at the same place. */
const encoded = new WeakMap<readonly ChangeRow[], Map<string, Uint8Array>>();

/** The body of `changes` for a page of the log. */
export function encodePage(rows: readonly ChangeRow[], kind: RevisionKind, version: ProtocolVersion): Uint8Array {
  const form = version === 2 ? 'boolean' : kind;
  let forms = encoded.get(rows);
  if (!forms) encoded.set(rows, (forms = new Map<string, Uint8Array>()));
  let body = forms.get(form);
  if (!body) forms.set(form, (body = encodeRows(rows, kind, version)));
  return body;
}

function encodeRows(rows: readonly ChangeRow[], kind: RevisionKind, version: ProtocolVersion): Uint8Array {
  const offers = rows.map((row) => ({
    sequence: row.sequence,
    id: row.id,
    rev: offeredId(row, kind),
    deleted: row.deleted,
    bodySize: row.bodySize,
  }));
  return encodeChangeRows(offers, version);
}
