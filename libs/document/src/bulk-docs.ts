import { EdgeError, isEdgeError } from '@edgesync/errors';
import { type Body, checkReadable, finish, type RawBody, scanObject } from './body.js';
import { JsonScanner } from './json-scanner.js';
import { rewriteJson } from './json-text.js';

/** A `_bulk_docs` request (docs/protocol/rest.md#bulk-edits). */
export interface BulkDocs {
  /** The items in order; in place of one that cannot be a document, the error to report for it. */
  readonly docs: readonly (Body | EdgeError)[];
  /** The other members, such as `new_edits`: value texts in normal form. */
  readonly members: ReadonlyMap<string, string>;
}

const COMMA = 0x2c;
const OPEN_BRACE = 0x7b;
const OPEN_BRACKET = 0x5b;
const CLOSE_BRACKET = 0x5d;

/**
 * Reads the body of a `_bulk_docs` request in one pass over the text.
 * @throws EdgeError `request.json`; `request.invalid` if it is no object with an array `docs`; `doc.invalid` if anything
 * is nested too deep
 */
export function splitBulkDocs(text: string): BulkDocs {
  const scanner = new JsonScanner(text);
  if (scanner.next() !== OPEN_BRACE) {
    scanner.value(0);
    throw new EdgeError('request.invalid', 'the body must be a JSON object with an array "docs"');
  }
  let items: readonly RawBody[] | undefined;
  const members = new Map<string, string>();
  scanner.object(1, (keyStart, keyEnd) => {
    const key = JSON.parse(text.slice(keyStart, keyEnd)) as string;
    if (key === 'docs')
      items = text.charCodeAt(scanner.position) === OPEN_BRACKET ? scanItems(scanner) : scanNothing(scanner);
    else members.set(key, scanMember(scanner));
  });
  scanner.end();
  if (items === undefined) throw new EdgeError('request.invalid', 'the body must have an array "docs"');
  return { docs: items.map(finishOrError), members };
}

function scanItems(scanner: JsonScanner): RawBody[] {
  const items: RawBody[] = [];
  scanner.position++;
  if (scanner.next() === CLOSE_BRACKET) {
    scanner.position++;
    return items;
  }
  for (;;) {
    items.push(scanObject(scanner));
    const code = scanner.next();
    if (code !== COMMA && code !== CLOSE_BRACKET) throw scanner.fault('expected "," or "]"');
    scanner.position++;
    if (code === CLOSE_BRACKET) return items;
  }
}

function scanNothing(scanner: JsonScanner): undefined {
  scanner.value(1);
}

function scanMember(scanner: JsonScanner): string {
  scanner.begin();
  scanner.value(1);
  const json = scanner.take();
  return scanner.irregular ? rewriteJson(json) : json;
}

function finishOrError(raw: RawBody): Body | EdgeError {
  try {
    checkReadable(raw);
    return finish(raw);
  } catch (error) {
    if (isEdgeError(error)) return error;
    throw error;
  }
}
