import type { ChangeRow, DocumentRevision, StoredRevision } from '@edgesync/ports';

/** Bits of `documents.flags`. */
export const FLAG_DELETED = 1;
/** The stored bodies of the document refer to blobs. */
export const FLAG_BLOBS = 2;
/** There are losing leaves in `revisions`. */
export const FLAG_BRANCHES = 4;

/** A row of `documents` as the statements select it. */
export interface DocumentRow {
  readonly row: number;
  readonly id: string;
  readonly sequence: number;
  readonly flags: number;
  readonly expires_at: number | null;
  readonly rev: string;
  readonly vector: string;
  readonly tree: string;
  readonly body: string;
}

/** The same, with the body if the statement selects it. */
export type SelectedRow = Omit<DocumentRow, 'body'> & { readonly body?: string };

/** A row of the change log. */
export type LogRow = SelectedRow & { readonly size: number };

/** Every column of {@link DocumentRow}. */
export const COLUMNS = 'row, id, sequence, flags, expires_at, rev, vector, tree, body';
/** The same without the body. */
export const METADATA_COLUMNS = 'row, id, sequence, flags, expires_at, rev, vector, tree';

export function toRevision(row: DocumentRow): DocumentRevision;
export function toRevision(row: SelectedRow): StoredRevision;
export function toRevision(row: SelectedRow): StoredRevision {
  const { id, sequence, rev, vector, tree, body, expires_at: expiresAt } = row;
  const deleted = (row.flags & FLAG_DELETED) !== 0;
  const revision = { id, sequence, rev, vector, tree, deleted };
  if (body === undefined) return expiresAt === null ? revision : { ...revision, expiresAt };
  return expiresAt === null ? { ...revision, body } : { ...revision, body, expiresAt };
}

export function toChange(row: LogRow): ChangeRow {
  return { ...toRevision(row), bodySize: row.size, blobs: (row.flags & FLAG_BLOBS) !== 0 };
}

export const isExpired = (row: { readonly expires_at: number | null }, nowSeconds: number): boolean =>
  row.expires_at !== null && row.expires_at <= nowSeconds;
