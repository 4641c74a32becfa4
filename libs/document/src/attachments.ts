import { EdgeError } from '@edgesync/errors';
import { findBlobs, isBlobDigest, isDictionary } from './blobs.js';
import { getMember, joinMembers, type JsonMember, setMember, topLevelMembers } from './json-text.js';

/**
 * Start of the names that replicators give to entries which mirror a blob dictionary
 * (docs/protocol/blobs-and-deltas.md#attachments).
 */
const MIRROR_PREFIX = 'blob_';

/**
 * The entries of `_attachments` worth storing: those that name content which no blob dictionary of the body names.
 * Entries that mirror a blob are made again when a peer wants them ({@link withAttachments}).
 * @param attachments the value of `_attachments` in normal form
 * @param json the properties in normal form
 * @returns undefined if nothing is left
 * @throws EdgeError `doc.invalid` for inline data, which nothing could serve later
 */
export function storedAttachments(attachments: string, json: string): string | undefined {
  if (!attachments.startsWith('{')) return undefined;
  const inBody = new Set(findBlobs(json).map((blob) => blob.digest));
  const kept: JsonMember[] = [];
  for (const member of topLevelMembers(attachments)) {
    const { key, valueText } = member;
    const entry: unknown = JSON.parse(valueText);
    if (!isDictionary(entry)) continue;
    if ('data' in entry)
      throw new EdgeError('doc.invalid', 'inline attachments are not supported: store the content as a blob property');
    const { digest } = entry;
    if (key.startsWith(MIRROR_PREFIX) || typeof digest !== 'string' || !isBlobDigest(digest) || inBody.has(digest))
      continue;
    kept.push(member);
  }
  return kept.length === 0 ? undefined : joinMembers(kept);
}

/**
 * The body with an `_attachments` entry for every blob, as peers want it that did not answer `blobs` = `true`. A body
 * that has some entries must have all: LiteCore refuses a partial list (docs/protocol/blobs-and-deltas.md#attachments).
 * @param json a body in normal form
 * @param revpos generation to claim for the entries; Sync Gateway demands one for rev-tree revisions
 */
export function withAttachments(json: string, revpos?: number): string {
  const attachments = new Map<string, string>();
  for (const { key, valueText } of topLevelMembers(getMember(json, '_attachments') ?? '{}'))
    attachments.set(key, valueText);
  for (const { pointer, digest, length, contentType } of findBlobs(json)) {
    if (pointer.startsWith('/_attachments/')) continue;
    const stub = {
      ...(contentType !== undefined && { content_type: contentType }),
      ...(length !== undefined && { length }),
      digest,
      stub: true,
      ...(revpos !== undefined && { revpos }),
    };
    attachments.set(MIRROR_PREFIX + pointer, JSON.stringify(stub));
  }
  if (attachments.size === 0) return json;
  const members = Array.from(attachments, ([key, valueText]) => ({ key, valueText }));
  return setMember(json, '_attachments', joinMembers(members));
}
