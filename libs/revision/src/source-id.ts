import { EdgeError } from '@edgesync/errors';

/**
 * Source of versions that stand for rev-tree IDs (docs/protocol/revisions.md#sources,
 * docs/protocol/revisions.md#legacy-versions). No database may have it.
 */
export const LEGACY_SOURCE = 'Revision+Tree+Encoding';

/**
 * Sixteen zero bytes: "this database" inside Couchbase Lite, illegal on the wire
 * (docs/protocol/revisions.md#version-text).
 */
export const ME_SOURCE = 'AAAAAAAAAAAAAAAAAAAAAA';

/** 16 bytes in unpadded base64 leave four zero bits at the end, so the last character is one of four. */
const SOURCE_ID = /^[A-Za-z0-9+/]{21}[AQgw]$/;

/** Whether the text may stand after the `@` of a version on the wire. */
export function isSourceId(text: string): boolean {
  return SOURCE_ID.test(text) && text !== ME_SOURCE;
}

/**
 * The source ID of a database: its 16-byte public UUID in standard base64 without padding
 * (docs/protocol/revisions.md#sources).
 * @throws EdgeError `version.invalid` if the bytes are not 16 or spell a reserved source
 */
export function sourceIdFromBytes(bytes: Uint8Array): string {
  if (bytes.length !== 16) throw new EdgeError('version.invalid', 'a source ID is made of 16 bytes');
  const source = btoa(String.fromCharCode(...bytes)).slice(0, 22);
  if (source === ME_SOURCE || source === LEGACY_SOURCE) {
    throw new EdgeError('version.invalid', `the source ID ${source} is reserved`);
  }
  return source;
}
