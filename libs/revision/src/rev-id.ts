import { EdgeError } from '@edgesync/errors';

/**
 * A rev-tree revision ID, taken apart: `3-b5286031…` is generation 3 and a digest
 * (docs/protocol/revisions.md#tree-revision-ids).
 */
export interface RevId {
  readonly generation: number;
  /** Lower-case hex, opaque: peers use different hash functions, so it is never recomputed for a foreign revision. */
  readonly digest: string;
}

/**
 * Generation without leading zeros, digest of whole bytes, at most 20 of them: what Couchbase Lite accepts
 * (docs/protocol/revisions.md#tree-revision-ids).
 */
const TREE_REV_ID = /^[1-9][0-9]{0,9}-(?:[0-9a-f]{2}){1,20}$/;

const HYPHEN = 0x2d;
const DIGIT_ZERO = 0x30;

/** Whether the text is a well-formed rev-tree ID. */
export function isTreeRevId(text: string): boolean {
  return TREE_REV_ID.test(text);
}

/**
 * Whether an ID is meant as a version rather than a rev-tree ID: the rule of
 * docs/protocol/replication.md#differences-by-sub-protocol, decided per ID.
 */
export function isVersion(text: string): boolean {
  return text.includes('@');
}

/** @throws EdgeError `rev.invalid` */
export function parseRevId(text: string): RevId {
  if (!TREE_REV_ID.test(text)) throw new EdgeError('rev.invalid', `invalid revision ID "${text.slice(0, 80)}"`);
  const hyphen = text.indexOf('-');
  return { generation: Number(text.slice(0, hyphen)), digest: text.slice(hyphen + 1) };
}

/** The generation at the head of a rev-tree ID, without checking the rest; 0 if there is none. */
export function generationOf(rev: string): number {
  let generation = 0;
  for (let at = 0; at < rev.length; at++) {
    const code = rev.charCodeAt(at);
    if (code === HYPHEN) return generation;
    const digit = code - DIGIT_ZERO;
    if (digit < 0 || digit > 9) return 0;
    generation = generation * 10 + digit;
  }
  return 0;
}

/** Order of rev-tree IDs: generation as a number, then digest as text. Negative if `left` ranks below `right`. */
export function compareRevIds(left: string, right: string): number {
  const byGeneration = generationOf(left) - generationOf(right);
  if (byGeneration !== 0) return byGeneration;
  return left === right ? 0 : left < right ? -1 : 1;
}

export interface MintRevIdOptions {
  /** The rev-tree ID being replaced; absent or '' for a first revision. */
  readonly parent?: string | undefined;
  readonly deleted: boolean;
  /** The body as JSON, compact, keys sorted bytewise at every level, without metadata; `{}` for a bare tombstone. */
  readonly canonicalBody: string;
  /** Lower-case hex SHA-1 of the UTF-8 form of a text. */
  readonly sha1: (text: string) => string;
}

/**
 * The ID of a revision made here, by Couchbase Lite's recipe (docs/protocol/revisions.md#digests,
 * docs/protocol/rest.md#writing-documents): two peers that make the same edit on the same parent get the same ID, so
 * the edit is seen as one.
 */
export function mintRevId({ parent = '', deleted, canonicalBody, sha1 }: MintRevIdOptions): string {
  // A parent ID has at most 51 characters, all ASCII, so the length byte is its own UTF-8 form.
  const seed = String.fromCharCode(parent.length) + parent + (deleted ? '\u0001' : '\u0000');
  return `${generationOf(parent) + 1}-${sha1(seed + canonicalBody)}`;
}
