import type { DocumentRevision } from '@edgesync/ports';
import { currentVersionOf } from '@edgesync/revision';
import { documentText } from '../documents/document-text.js';

/** One row of `_all_docs` (ref 6.6). */
export function rowText(document: DocumentRevision, includeDocs: boolean): string {
  const id = JSON.stringify(document.id);
  const value = `{"rev":"${document.rev}","cv":"${currentVersionOf(document.vector)}"}`;
  return includeDocs
    ? `{"key":${id},"id":${id},"value":${value},"doc":${documentText(document)}}`
    : `{"key":${id},"id":${id},"value":${value}}`;
}

/**
 * The reply in pieces, a piece per page.
 * @param updateSeq the collection's last sequence
 */
export async function* listingText(
  pages: AsyncIterable<readonly DocumentRevision[]>,
  includeDocs: boolean,
  updateSeq: number,
): AsyncGenerator<string, void, undefined> {
  let total = 0;
  let pending = '{"rows":[';
  for await (const rows of pages) {
    for (const row of rows) {
      if (total++ > 0) pending += ',';
      pending += rowText(row, includeDocs);
    }
    yield pending;
    pending = '';
  }
  yield `${pending}],"total_rows":${total},"update_seq":${updateSeq}}`;
}
