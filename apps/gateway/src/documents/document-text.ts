import { withMetadata } from '@edgesync/document';
import type { DocumentRevision } from '@edgesync/ports';
import { currentVersionOf } from '@edgesync/revision';

/** A document as REST shows it: metadata first, then the properties as stored (ref 6.8). */
export function documentText({ id, rev, vector, deleted, body }: DocumentRevision): string {
  const cv = vector === '' ? undefined : currentVersionOf(vector);
  return withMetadata(body, { id, rev, deleted, ...(cv !== undefined && { cv }) });
}
