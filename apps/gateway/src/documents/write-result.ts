import { EdgeError } from '@edgesync/errors';
import type { WriteResult } from '@edgesync/ports';
import { currentVersionOf } from '@edgesync/revision';

export type StoredResult = Extract<WriteResult, { status: 'stored' | 'known' }>;
export type RefusedResult = Exclude<WriteResult, StoredResult>;

/** The fault that a refused write is. */
export function errorOf(result: RefusedResult): EdgeError {
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
 * The reply to a write: `ok`, `id`, `rev`, and the deadline if one was set. `cv` is the version, if it is asked for and the
 * revision is current: a branch that lost has none of its own.
 * @param expires Unix seconds
 */
export function writeReply({ id, rev, vector }: StoredResult, showCv: boolean, expires?: number): string {
  const cv = showCv && vector !== undefined ? `,"cv":"${currentVersionOf(vector)}"` : '';
  const end = expires === undefined ? '}' : `,"expires":${expires}}`;
  return `{"ok":true,"id":${JSON.stringify(id)},"rev":"${rev}"${cv}${end}`;
}
