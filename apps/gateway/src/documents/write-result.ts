import { EdgeError } from '@edgesync/errors';
import type { WriteResult } from '@edgesync/ports';
import { currentVersionOf } from '@edgesync/revision';

export type StoredResult = Extract<WriteResult, { status: 'stored' | 'known' }>;
export type RefusedResult = Exclude<WriteResult, StoredResult>;

/** The fault that a refused write is. */
export function faultOf(result: RefusedResult): EdgeError {
  switch (result.status) {
    case 'conflict':
      return new EdgeError('doc.conflict');
    case 'purged':
      return new EdgeError('doc.missing');
    case 'missing':
      return new EdgeError(result.deleted ? 'doc.deleted' : 'doc.missing');
    case 'refused':
      return new EdgeError(result.code, result.reason);
  }
}

/**
 * The reply to a write: `ok`, `id`, `rev`, the version if it is to be shown, and the deadline if one was set.
 * @param expires Unix seconds
 */
export function writeReply({ id, rev, vector }: StoredResult, showCv: boolean, expires?: number): string {
  const cv = showCv ? `,"cv":"${currentVersionOf(vector)}"` : '';
  const end = expires === undefined ? '}' : `,"expires":${expires}}`;
  return `{"ok":true,"id":${JSON.stringify(id)},"rev":"${rev}"${cv}${end}`;
}
