import type { DocumentRevision } from '@edgesync/ports';
import { currentVersionOf } from '@edgesync/revision';
import { documentText } from '../documents/document-text.js';

export interface RowStyle {
  readonly includeDocs: boolean;
  /** Whether versions are shown. */
  readonly showCv: boolean;
}

/** One row of `_all_docs`. */
function rowText(document: DocumentRevision, { includeDocs, showCv }: RowStyle): string {
  const id = JSON.stringify(document.id);
  const cv = showCv ? `,"cv":"${currentVersionOf(document.vector)}"` : '';
  const value = `{"rev":"${document.rev}"${cv}}`;
  return includeDocs
    ? `{"key":${id},"id":${id},"value":${value},"doc":${documentText(document, showCv)}}`
    : `{"key":${id},"id":${id},"value":${value}}`;
}

/**
 * The reply in pieces, a piece per page.
 * @param updateSeq the collection's last sequence
 */
export async function* listingText(
  pages: AsyncIterable<readonly DocumentRevision[]>,
  style: RowStyle,
  updateSeq: number,
): AsyncGenerator<string, void, undefined> {
  let total = 0;
  let pending = '{"rows":[';
  for await (const rows of pages) {
    for (const row of rows) {
      if (total++ > 0) pending += ',';
      pending += rowText(row, style);
    }
    yield pending;
    pending = '';
  }
  yield `${pending}],"total_rows":${total},"update_seq":${updateSeq}}`;
}
