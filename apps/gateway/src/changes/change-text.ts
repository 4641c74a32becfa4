import type { ChangeRow } from '@edgesync/ports';
import { isLinear, RevTree } from '@edgesync/revision';
import { documentText } from '../documents/document-text.js';
import { FEED_PIECE_CHARACTERS } from '../tuning.js';
import type { FeedMode } from './changes-parameters.js';

/** How a change is written. */
export interface ChangeStyle {
  readonly includeDocs: boolean;
  /** Whether documents have their `_cv`. */
  readonly showCv: boolean;
  readonly allLeaves: boolean;
}

/** One change as JSON (docs/protocol/rest.md#changes-feed). */
export function changeText(row: ChangeRow, { includeDocs, showCv, allLeaves }: ChangeStyle): string {
  const { id, sequence, rev, tree, deleted } = row;
  const revs = allLeaves && !isLinear(tree) ? RevTree.decode(tree).leaves() : [rev];
  const changes = revs.map((one) => `{"rev":"${one}"}`).join(',');
  const mark = deleted ? '"deleted":true,' : '';
  const doc = includeDocs ? `,"doc":${shownDocument(row, showCv)}` : '';
  return `{"seq":${sequence},"id":${JSON.stringify(id)},${mark}"changes":[${changes}]${doc}}`;
}

/** A deleted document shows its ID and revision alone. */
function shownDocument(row: ChangeRow, showCv: boolean): string {
  // Feeds do not ask for UTF-8.
  return documentText({ ...row, body: row.deleted ? '{}' : (row.body as string) }, showCv);
}

/** Some changes as they are sent. */
export interface Piece {
  readonly bytes: Buffer;
  readonly rows: number;
  /** Sequence of the last change. */
  readonly last: number;
}

/** Between two changes of an envelope, so also between two pieces of one. */
export const ROW_SEPARATOR = ',\n';

const FRAMES: Readonly<Record<FeedMode, (json: string, sequence: number) => string>> = {
  normal: (json) => json,
  longpoll: (json) => json,
  continuous: (json) => `${json}\n`,
  sse: (json, sequence) => `id: ${sequence}\ndata: ${json}\n\n`,
};

/** Pages are shared by all feeds of a collection that stand at the same place, and so is what is made of them. */
const made = new WeakMap<readonly ChangeRow[], Map<string, readonly Piece[]>>();

/** A page as it is sent, cut where a slow client may have to stop. Made once for all feeds of the same kind. */
export function piecesOf(rows: readonly ChangeRow[], mode: FeedMode, style: ChangeStyle): readonly Piece[] {
  let forms = made.get(rows);
  if (!forms) made.set(rows, (forms = new Map<string, readonly Piece[]>()));
  const form = `${mode === 'longpoll' ? 'normal' : mode}/${style.includeDocs}/${style.showCv}/${style.allLeaves}`;
  let pieces = forms.get(form);
  if (!pieces) forms.set(form, (pieces = makePieces(rows, mode, style)));
  return pieces;
}

function makePieces(rows: readonly ChangeRow[], mode: FeedMode, style: ChangeStyle): Piece[] {
  const frame = FRAMES[mode];
  const separator = mode === 'normal' || mode === 'longpoll' ? ROW_SEPARATOR : '';
  const pieces: Piece[] = [];
  let text = '';
  let count = 0;
  for (const [index, row] of rows.entries()) {
    text += (count > 0 ? separator : '') + frame(changeText(row, style), row.sequence);
    count++;
    if (text.length < FEED_PIECE_CHARACTERS && index < rows.length - 1) continue;
    pieces.push({ bytes: Buffer.from(text), rows: count, last: row.sequence });
    text = '';
    count = 0;
  }
  return pieces;
}
