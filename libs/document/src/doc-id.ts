import { EdgeError } from '@edgesync/errors';
import { DOC_ID_RANDOM_BYTES, MAX_DOC_ID_BYTES } from './limits.js';
import { utf8Length } from './utf8.js';

// Control characters break logs and shells, and LiteCore refuses them.
const CONTROL_CHARACTER = /[\x00-\x1f\x7f]/;

/**
 * Returns the ID if a document can be stored under it: 1 to 240 bytes of UTF-8, no leading underscore, no control
 * characters, no half of a surrogate pair (docs/protocol/rest.md#keyspaces).
 * @throws EdgeError `doc-id.invalid`
 */
export function checkDocId(id: string): string {
  if (id === '') throw invalid('the document ID is empty');
  // No character takes more than three bytes per UTF-16 unit, so a short ID need not be measured.
  if (id.length * 3 > MAX_DOC_ID_BYTES && utf8Length(id) > MAX_DOC_ID_BYTES)
    throw invalid(`the document ID is longer than ${MAX_DOC_ID_BYTES} bytes`);
  if (id.charCodeAt(0) === 0x5f) throw invalid('a document ID must not start with an underscore');
  if (CONTROL_CHARACTER.test(id)) throw invalid('the document ID contains a control character');
  if (!id.isWellFormed()) throw invalid('the document ID is not valid Unicode');
  return id;
}

/**
 * A new ID from 16 random bytes: `~` and 22 characters of URL-safe base64 (docs/protocol/rest.md#creating-documents).
 */
export function generateDocId(randomBytes: Uint8Array): string {
  if (randomBytes.length !== DOC_ID_RANDOM_BYTES)
    throw new RangeError(`a document ID takes ${DOC_ID_RANDOM_BYTES} random bytes`);
  const base64 = btoa(String.fromCharCode(...randomBytes));
  return `~${base64.slice(0, 22).replaceAll('+', '-').replaceAll('/', '_')}`;
}

function invalid(reason: string): EdgeError {
  return new EdgeError('doc-id.invalid', reason);
}
