import { checkDocId } from '@edgesync/document';
import { EdgeError } from '@edgesync/errors';

/**
 * Endpoints of CouchDB and Sync Gateway that clients probe for: not offered here, and no document IDs
 * (docs/protocol/rest.md#endpoints).
 */
const NOT_OFFERED = new Set([
  '_all_docs',
  '_blipsync',
  '_bulk_docs',
  '_bulk_get',
  '_changes',
  '_compact',
  '_design',
  '_design_docs',
  '_ensure_full_commit',
  '_explain',
  '_find',
  '_index',
  '_local',
  '_local_docs',
  '_missing_revs',
  '_purge',
  '_query',
  '_revs_diff',
  '_revs_limit',
  '_security',
  '_session',
  '_shards',
  '_sync_shards',
  '_view_cleanup',
]);

/**
 * Reads the second path component as a document ID.
 * @throws EdgeError `request.path` if it is the name of an endpoint, `doc-id.invalid`
 */
export function readDocumentId(text: string): string {
  if (NOT_OFFERED.has(text)) throw new EdgeError('request.path');
  return checkDocId(text);
}
