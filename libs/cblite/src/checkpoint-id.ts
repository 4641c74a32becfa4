import type { CollectionName } from '@edgesync/document';
import { pushVarint } from './byte-reader.js';

export interface CheckpointScope extends CollectionName {
  /** 16 bytes: `privateUUID` of the client's database. */
  readonly privateUuid: Uint8Array;
  /** The endpoint as the app gives it, with `/_blipsync`. */
  readonly url: string;
  readonly pull: boolean;
  readonly push: boolean;
}

/**
 * The ID under which a Couchbase Lite client keeps its checkpoint of one collection, without channels, filters or
 * document IDs.
 */
export function checkpointId(
  { privateUuid, scope, collection, url, pull, push }: CheckpointScope,
  hash: (algorithm: 'sha1' | 'sha256', bytes: Uint8Array) => string,
): string {
  const isDefault = scope === '_default' && collection === '_default';
  const items = isDefault
    ? [privateUuid, utf8(url)]
    : [privateUuid, utf8(collection), utf8(scope), pull, push, utf8(url)];
  return `cp-${hash(isDefault ? 'sha1' : 'sha256', fleeceArray(items))}`;
}

/** A Fleece array of strings and booleans, strings before it and items narrow. */
function fleeceArray(items: readonly (Uint8Array | boolean)[]): Uint8Array {
  const bytes: number[] = [];
  const addresses = items.map((item) => (typeof item === 'boolean' ? item : appendString(bytes, item)));
  const start = bytes.length;
  bytes.push(0x60, items.length);
  for (const item of addresses) {
    if (typeof item === 'boolean') bytes.push(item ? 0x38 : 0x34, 0);
    else if (typeof item === 'number') bytes.push(...pointer(bytes.length - item));
    else bytes.push(...item.inline);
  }
  bytes.push(...pointer(bytes.length - start));
  return Uint8Array.from(bytes);
}

function appendString(bytes: number[], content: Uint8Array): number | { readonly inline: readonly number[] } {
  if (content.length < 2) return { inline: [0x40 | content.length, content[0] ?? 0] };
  const at = bytes.length;
  if (content.length < 15) bytes.push(0x40 | content.length);
  else {
    bytes.push(0x4f);
    pushVarint(bytes, content.length);
  }
  bytes.push(...content);
  if (bytes.length % 2 !== 0) bytes.push(0);
  return at;
}

const pointer = (offset: number): number[] => [0x80 | (offset >> 9), (offset >> 1) & 0xff];

const utf8 = (text: string): Uint8Array => new TextEncoder().encode(text);
