import { EdgeError } from '@edgesync/errors';
import { readEntityTags } from '../http/entity-tag.js';

/** `If-Match: *`: whatever revision is current. */
export const ANY_REVISION = Symbol('any revision');

export type ExpectedRevision = string | typeof ANY_REVISION | undefined;

/**
 * The revision a write replaces: from `?rev`, `If-Match` or the body's `_rev`; those given must agree
 * (docs/protocol/rest.md#writing-documents).
 * @throws EdgeError `request.parameter`, `doc.invalid`, `rev.invalid`
 */
export function readExpectedRevision(
  rev: string | undefined,
  ifMatch: string | undefined,
  bodyRev?: string,
): ExpectedRevision {
  const fromQuery = rev ? asRevision(rev) : undefined;
  const fromHeader = ifMatch === undefined ? undefined : readIfMatch(ifMatch);
  if (bodyRev !== undefined) checkRevision(bodyRev);
  if (typeof fromHeader === 'string' && fromQuery !== undefined && fromHeader !== fromQuery)
    throw new EdgeError('request.parameter', 'If-Match conflicts with ?rev');
  const asked = fromQuery ?? fromHeader;
  if (bodyRev === undefined) return asked;
  if (typeof asked === 'string' && asked !== bodyRev)
    throw new EdgeError(
      'doc.invalid',
      fromQuery === undefined ? '"_rev" conflicts with If-Match' : '"_rev" conflicts with ?rev',
    );
  return bodyRev;
}

/**
 * Reads a revision of a URL. Revision IDs hold no blanks, but versions hold `+`, which a client that does not encode it
 * turns into one.
 * @throws EdgeError `rev.invalid`
 */
export const asRevision = (text: string): string => checkRevision(text.trim().replaceAll(' ', '+'));

/** A generation and a digest, or a time and a source. Whether there is such a revision is another question. */
const REVISION = /^(?:\d+-\S+|[^\s@]+@\S+)$/;

/**
 * Returns the text if it has the form of a revision.
 * @throws EdgeError `rev.invalid`
 */
export function checkRevision(text: string): string {
  if (!REVISION.test(text)) throw new EdgeError('rev.invalid', `"${text.slice(0, 80)}" is not a revision ID`);
  return text;
}

function readIfMatch(header: string): ExpectedRevision {
  const tags = readEntityTags(header);
  if (tags === '*') return ANY_REVISION;
  if (tags?.length === 0) return undefined;
  if (tags?.length !== 1) throw new EdgeError('request.parameter', 'If-Match must name one revision');
  return checkRevision(tags[0]!);
}
