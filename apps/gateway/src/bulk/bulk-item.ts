import { checkDocId, type Body, type Keyspace } from '@edgesync/document';
import { EdgeError } from '@edgesync/errors';
import type { EditRequest, RevisionRequest } from '@edgesync/ports';
import { checkRevision } from '../parameters/revision.js';
import { newDocumentId } from '../documents/new-document-id.js';

/**
 * The edit that an item asks for: `_id` alone creates, with `_rev` it updates, with `_deleted` it deletes
 * (docs/protocol/rest.md#bulk-edits).
 * @throws EdgeError `doc.invalid`, `doc-id.invalid`, `rev.invalid`
 */
export function toEdit(keyspace: Keyspace, { json, metadata }: Body): EditRequest {
  const { rev, deleted } = metadata;
  if (metadata.id === undefined && (rev !== undefined || deleted)) throw new EdgeError('doc.invalid', 'Missing "_id"');
  const id = metadata.id === undefined ? newDocumentId() : checkDocId(metadata.id);
  if (rev === undefined) return { type: 'edit', keyspace, id, deleted, body: json };
  return { type: 'edit', keyspace, id, expect: checkRevision(rev), deleted, body: json };
}

/**
 * The revision that an item of a `"new_edits": false` batch is.
 * @throws EdgeError `doc.invalid`, `doc-id.invalid`
 */
export function toRevision(keyspace: Keyspace, { json, metadata }: Body): RevisionRequest {
  const { id, rev, revisions = [], deleted } = metadata;
  if (id === undefined) throw new EdgeError('doc.invalid', 'Missing "_id"');
  if (rev === undefined) throw new EdgeError('doc.invalid', 'Missing "_rev"');
  if (revisions.length > 0 && revisions[0] !== rev)
    throw new EdgeError('doc.invalid', '"_revisions" does not start with "_rev"');
  return {
    type: 'revision',
    keyspace,
    id: checkDocId(id),
    rev,
    history: revisions.slice(1).join(','),
    deleted,
    body: json,
    onConflict: 'branch',
  };
}
