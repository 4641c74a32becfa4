import { withMetadata } from '@edgesync/document';
import type { DocumentRevision } from '@edgesync/ports';
import { currentVersionOf } from '@edgesync/revision';

/** The part of a stored document that REST shows. */
type ShownDocument = Pick<DocumentRevision, 'id' | 'rev' | 'vector' | 'deleted' | 'body'>;

/**
 * A document as REST shows it: metadata first, then the properties as stored.
 * @param showCv whether to show the version, where it is known
 */
export function documentText({ id, rev, vector, deleted, body }: ShownDocument, showCv: boolean): string {
  const cv = showCv && vector !== '' ? currentVersionOf(vector) : undefined;
  return withMetadata(body, { id, rev, deleted, ...(cv !== undefined && { cv }) });
}
