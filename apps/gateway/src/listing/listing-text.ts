import { hasBody, type StoredRevision } from '@edgesync/ports';
import { currentVersionOf } from '@edgesync/revision';
import { documentText } from '../documents/document-text.js';

/** One row of `_all_docs`, with the document if its body was read. */
function rowText(document: StoredRevision, showCv: boolean): string {
  const id = JSON.stringify(document.id);
  const cv = showCv ? `,"cv":"${currentVersionOf(document.vector)}"` : '';
  const value = `{"rev":"${document.rev}"${cv}}`;
  const doc = hasBody(document) ? `,"doc":${documentText(document, showCv)}` : '';
  return `{"key":${id},"id":${id},"value":${value}${doc}}`;
}

/**
 * The reply in pieces, a piece per page.
 * @param showCv whether versions are shown
 * @param updateSeq the collection's last sequence
 */
export async function* listingText(
  pages: AsyncIterable<readonly StoredRevision[]>,
  showCv: boolean,
  updateSeq: number,
): AsyncGenerator<string, void, undefined> {
  let total = 0;
  let pending = '{"rows":[';
  for await (const rows of pages) {
    for (const row of rows) {
      if (total++ > 0) pending += ',';
      pending += rowText(row, showCv);
    }
    yield pending;
    pending = '';
  }
  yield `${pending}],"total_rows":${total},"update_seq":${updateSeq}}`;
}
