import { EdgeError } from '@edgesync/errors';
import { storedAttachments } from './attachments.js';
import { JsonScanner } from './json-scanner.js';
import { checkJson, cutSpans, rewriteJson, setMember } from './json-text.js';
import { MAX_DOCUMENT_BYTES } from './limits.js';
import { exceedsBytes } from './utf8.js';

/**
 * Metadata that a document brought in top-level properties that start with an underscore
 * (docs/protocol/rest.md#writing-documents).
 */
export interface BodyMetadata {
  readonly id?: string;
  readonly rev?: string;
  /** Whether `_deleted` is true. */
  readonly deleted: boolean;
  /** Whether `_removed` is true: the peer's document left the reader's channels (docs/protocol/replication.md#rev). */
  readonly removed: boolean;
  /** `_revisions` as revision IDs, newest first. */
  readonly revisions?: readonly string[];
}

/** A document as it is stored, apart from what it said about itself. */
export interface Body {
  /** The properties in normal form (see json-text.ts). */
  readonly json: string;
  readonly metadata: BodyMetadata;
}

const NO_METADATA: BodyMetadata = Object.freeze({ deleted: false, removed: false });
const OPEN_BRACE = 0x7b;
const UNDERSCORE = 0x5f;
/** Two quotes. */
const EMPTY_KEY_LENGTH = 2;

/**
 * Reads the JSON text of one document that a client wrote. Numbers and strings keep their exact value and
 * members their order; of members with the same key the last wins. Top-level properties that start with an underscore
 * are metadata: the known ones are returned, all are left out of the body, except `_attachments` entries that no blob
 * in the body stands for (docs/protocol/blobs-and-deltas.md#attachments).
 * @throws EdgeError `request.json`; `doc.invalid` if it is no object, has metadata of the wrong type, or could not be read
 * by any Couchbase Lite app; `doc.too-large`
 */
export function readBody(text: string): Body {
  const raw = scanText(text);
  checkReadable(raw);
  return finish(raw);
}

/**
 * Like {@link readBody}, for a document that a peer holds already: refusing one that some app cannot read would only
 * make the two differ.
 */
export function readPeerBody(text: string): Body {
  return finish(scanText(text));
}

/**
 * Reads the JSON text of one property, of any type, that a client wrote; returns it in normal form.
 * @throws EdgeError `request.json`; `doc.invalid` if no Couchbase Lite app could read the property in a document
 */
export function readProperty(text: string): string {
  const scanner = new JsonScanner(text);
  scanner.next();
  scanner.begin();
  scanner.value(1);
  const json = scanner.take();
  const { irregular, obstacle } = scanner;
  scanner.end();
  checkReadable({ obstacle });
  return irregular ? rewriteJson(json) : json;
}

/** A scanned object: nothing in it has been judged but the syntax. `undefined` is a value that is no object. */
export type RawBody =
  | {
      readonly json: string;
      readonly irregular: boolean;
      readonly obstacle: string | undefined;
      readonly found?: readonly RawMetadata[];
    }
  | undefined;

function scanText(text: string): RawBody {
  const scanner = new JsonScanner(text);
  const raw = scanObject(scanner);
  scanner.end();
  return raw;
}

/** @throws EdgeError `doc.invalid` for what no Couchbase Lite app can read */
export function checkReadable(scanned: { readonly obstacle: string | undefined } | undefined): void {
  if (scanned?.obstacle !== undefined) throw invalid(`${scanned.obstacle}: no Couchbase Lite app could read this`);
}

interface RawMetadata {
  readonly key: string;
  readonly valueText: string;
  /** The member's place in the scanner's output. */
  readonly start: number;
  readonly end: number;
}

/**
 * Moves a scanner over one document.
 * @throws EdgeError `request.json`, `doc.invalid` (nested too deep)
 */
export function scanObject(scanner: JsonScanner): RawBody {
  const first = scanner.next();
  scanner.begin();
  if (first !== OPEN_BRACE) {
    scanner.value(0);
    return undefined;
  }
  const { text } = scanner;
  let found: RawMetadata[] | undefined;
  scanner.object(1, (keyStart, keyEnd, start) => {
    if (keyEnd - keyStart === EMPTY_KEY_LENGTH) scanner.meetObstacle('an empty property name', keyStart);
    if (text.charCodeAt(keyStart + 1) !== UNDERSCORE) return scanner.value(1);
    const valueStart = scanner.position;
    scanner.value(1);
    const valueText = text.slice(valueStart, scanner.position);
    (found ??= []).push({ key: text.slice(keyStart + 1, keyEnd - 1), valueText, start, end: scanner.outputPosition });
  });
  return { json: scanner.take(), irregular: scanner.irregular, obstacle: scanner.obstacle, found };
}

/**
 * Judges a scanned object.
 * @throws EdgeError `doc.invalid`, `doc.too-large`
 */
export function finish(raw: RawBody): Body {
  if (raw === undefined) throw invalid('a document must be a JSON object');
  // What comes out of the rewrite is final: unpaired surrogates would be called irregular for ever.
  const { json, found } = raw.irregular ? scanObject(new JsonScanner(rewriteJson(raw.json)))! : raw;
  const body = found === undefined ? { json, metadata: NO_METADATA } : separate(json, found);
  if (exceedsBytes(body.json, MAX_DOCUMENT_BYTES)) throw new EdgeError('doc.too-large');
  return body;
}

function separate(json: string, found: readonly RawMetadata[]): Body {
  const metadata: { -readonly [Key in keyof BodyMetadata]: BodyMetadata[Key] } = { deleted: false, removed: false };
  let properties = cutSpans(json, found);
  for (const { key, valueText } of found) {
    switch (key) {
      case '_id':
        metadata.id = readString(key, valueText);
        break;
      case '_rev':
        metadata.rev = readString(key, valueText);
        break;
      case '_deleted':
        metadata.deleted = readBoolean(key, valueText);
        break;
      case '_removed':
        metadata.removed = readBoolean(key, valueText);
        break;
      case '_revisions':
        metadata.revisions = readRevisions(valueText);
        break;
      case '_attachments': {
        const attachments = storedAttachments(checkJson(valueText), properties);
        if (attachments !== undefined) properties = setMember(properties, key, attachments);
      }
    }
  }
  return { json: properties, metadata };
}

/** A string; `null` counts as absent, since clients in typed languages send it so. */
function readString(key: string, valueText: string): string | undefined {
  const value: unknown = JSON.parse(valueText);
  if (typeof value === 'string') return value;
  if (value === null) return undefined;
  throw invalid(`"${key}" must be a string`);
}

function readBoolean(key: string, valueText: string): boolean {
  if (valueText === 'true') return true;
  if (valueText === 'false' || valueText === 'null') return false;
  throw invalid(`"${key}" must be true or false`);
}

/** CouchDB's form: `{"start": 3, "ids": ["c", "b", "a"]}` is `3-c`, `2-b`, `1-a`. */
function readRevisions(valueText: string): readonly string[] {
  const value = JSON.parse(valueText) as { start?: unknown; ids?: unknown } | null;
  const { start, ids } = value ?? {};
  if (!Number.isSafeInteger(start) || !Array.isArray(ids) || ids.length > (start as number))
    throw invalid('"_revisions" must have a number "start" and an array "ids" of at most that length');
  return ids.map((digest, index) => {
    if (typeof digest !== 'string') throw invalid('"_revisions.ids" must be strings');
    return `${(start as number) - index}-${digest}`;
  });
}

/** Metadata that a document shows. */
export interface ShownMetadata {
  readonly id: string;
  readonly rev: string;
  readonly deleted?: boolean;
  /** Current version, where versions are shown. */
  readonly cv?: string;
}

/**
 * The stored body with `_id`, `_rev`, `_deleted` (if true) and `_cv` (if given) before the properties. The body is not
 * looked at.
 * @param json an object in normal form
 */
export function withMetadata(json: string, { id, rev, deleted, cv }: ShownMetadata): string {
  let head = `{"_id":${JSON.stringify(id)},"_rev":${JSON.stringify(rev)}`;
  if (deleted === true) head += ',"_deleted":true';
  if (cv !== undefined) head += `,"_cv":${JSON.stringify(cv)}`;
  return json === '{}' ? `${head}}` : `${head},${json.slice(1)}`;
}

function invalid(reason: string): EdgeError {
  return new EdgeError('doc.invalid', reason);
}
