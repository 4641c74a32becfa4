import { EdgeError, isEdgeError } from '@edgesync/errors';
import { isBlobDigest } from './blobs.js';
import {
  isJsonArray,
  isJsonObject,
  type JsonObject,
  JsonScalar,
  type JsonTree,
  parseJsonTree,
  readJsonTree,
  writeJsonTree,
} from './json-tree.js';
import { MIN_PATCHED_STRING_BYTES } from './limits.js';
import { applyTextPatch, createTextPatch } from './text-patch.js';
import { utf8Length } from './utf8.js';

/**
 * Couchbase Lite deletes every member under the empty key that both bodies have: its delta from `{"":1}` to `{"":1,"a":2}`
 * is `{"":1,"":[],"a":2}`. So deltas that name it are neither trusted nor made; the body is sent whole instead.
 */
const EMPTY_KEY = '"":';

/**
 * Applies a delta of a `rev` message (docs/protocol/blobs-and-deltas.md#delta-format). The result is any JSON in normal
 * form: what a peer sent is still to be read with `readBody`.
 * @param baseJson the body of the base revision in normal form
 * @param deltaJson JSON text as received
 * @throws EdgeError `delta.invalid`
 */
export function applyDelta(baseJson: string, deltaJson: string): string {
  return writeJsonTree(patched(readJsonTree(baseJson), parseDelta(deltaJson)) ?? fail('it deletes the whole document'));
}

/**
 * A delta that turns one body into another, undefined if it would not be shorter than `limit` characters. Members
 * keep the order they have in the old body; new ones follow.
 * @param oldJson a body in normal form, as is `newJson`
 * @param limit default: the length of the new body
 */
export function createDelta(oldJson: string, newJson: string, limit = newJson.length): string | undefined {
  if (oldJson === newJson) return '{}'.length < limit ? '{}' : undefined;
  const delta = difference(readJsonTree(oldJson), readJsonTree(newJson));
  const text = delta === undefined ? '{}' : writeJsonTree(delta);
  return text.length < limit && !text.includes(EMPTY_KEY) ? text : undefined;
}

function parseDelta(text: string): JsonTree {
  try {
    return parseJsonTree(text);
  } catch (error) {
    if (isEdgeError(error)) throw new EdgeError('delta.invalid', error.message, { cause: error });
    throw error;
  }
}

/** The value that `delta` makes of `old` (undefined: there is none); undefined if it is deleted. */
function patched(old: JsonTree | undefined, delta: JsonTree): JsonTree | undefined {
  if (isJsonArray(delta)) return replaced(old, delta);
  if (!isJsonObject(delta)) return delta;
  if (old === undefined) return fail('it patches a missing value');
  if (delta.size === 0) return old;
  if (isJsonObject(old)) return patchedObject(old, delta);
  if (isJsonArray(old)) return patchedArray(old, delta);
  return fail('it patches a scalar as an object');
}

/** The array forms: `[]`, `[new]`, `[old, new]`, `[old, 0, 0]`, `["patch", 0, 2]`. */
function replaced(
  old: JsonTree | undefined,
  [first, second, third, ...rest]: readonly JsonTree[],
): JsonTree | undefined {
  if (rest.length > 0) return fail('an array in it is too long');
  if (third === undefined) {
    if (first !== undefined) return second ?? first;
    return old === undefined ? fail('it deletes a missing value') : undefined;
  }
  const kind = isNumber(second, 0) && third instanceof JsonScalar ? third.text : undefined;
  if (kind === '0') return old === undefined ? fail('it deletes a missing value') : undefined;
  if (kind !== '2' || typeof first !== 'string') return fail('it has an array of an unknown kind');
  return typeof old === 'string' ? applyTextPatch(old, first) : fail('it patches a value that is not text');
}

function patchedObject(old: JsonObject, delta: JsonObject): JsonObject {
  const result = new Map(old);
  for (const [key, change] of delta) {
    if (key === '') return fail('it names an empty key');
    const value = patched(old.get(key), change);
    if (value === undefined) result.delete(key);
    else result.set(key, value);
  }
  return result;
}

function patchedArray(old: readonly JsonTree[], delta: JsonObject): readonly JsonTree[] {
  const result = [...old];
  let tail: { readonly from: number; readonly items: readonly JsonTree[] } | undefined;
  for (const [key, change] of delta) {
    const [, digits, isTail] =
      /^(0|[1-9][0-9]{0,15})(-?)$/.exec(key) ?? fail('it patches an array with a key that is no index');
    const index = Number(digits);
    if (isTail) {
      if (index > old.length || tail || !isJsonArray(change)) return fail('it replaces the end of an array wrongly');
      tail = { from: index, items: change };
    } else {
      if (index >= old.length) return fail('it patches an item beyond the end of an array');
      result[index] = patched(old[index], change) ?? fail('it deletes an item of an array');
    }
  }
  return tail ? result.slice(0, tail.from).concat(tail.items) : result;
}

/** The delta between two values, undefined if they are equal. */
function difference(old: JsonTree, next: JsonTree): JsonTree | undefined {
  if (isJsonObject(old) && isJsonObject(next))
    return isOtherBlob(old, next) ? replacement(next) : objectDifference(old, next);
  if (isJsonArray(old) && isJsonArray(next)) return arrayDifference(old, next);
  if (typeof old === 'string' && typeof next === 'string') return stringDifference(old, next);
  if (old instanceof JsonScalar && next instanceof JsonScalar && old.text === next.text) return undefined;
  return replacement(next);
}

/**
 * Couchbase Lite 4.1 looks for blobs to fetch in the delta, where it knows one by its whole dictionary: of a digest alone
 * it takes no notice, and the document refers to a blob that it does not have.
 */
function isOtherBlob(old: JsonObject, next: JsonObject): boolean {
  const digest = next.get('digest');
  return typeof digest === 'string' && isBlobDigest(digest) && old.get('digest') !== digest;
}

function objectDifference(old: JsonObject, next: JsonObject): JsonTree | undefined {
  const delta = new Map<string, JsonTree>();
  for (const [key, value] of next) {
    const before = old.get(key);
    const change = before === undefined ? replacement(value) : difference(before, value);
    if (change !== undefined) delta.set(key, change);
  }
  for (const key of old.keys()) if (!next.has(key)) delta.set(key, []);
  return delta.size === 0 ? undefined : delta;
}

function arrayDifference(old: readonly JsonTree[], next: readonly JsonTree[]): JsonTree | undefined {
  const shorter = Math.min(old.length, next.length);
  const delta = new Map<string, JsonTree>();
  for (let index = 0; index < shorter; index++) {
    const change = difference(old[index]!, next[index]!);
    if (change !== undefined) delta.set(String(index), change);
  }
  if (old.length !== next.length) delta.set(`${shorter}-`, next.slice(shorter));
  return delta.size === 0 ? undefined : delta;
}

function stringDifference(old: string, next: string): JsonTree | undefined {
  if (old === next) return undefined;
  if (utf8Length(old) < MIN_PATCHED_STRING_BYTES || utf8Length(next) < MIN_PATCHED_STRING_BYTES) return next;
  const patch = createTextPatch(old, next);
  return patch !== undefined && patch.length < next.length ? [patch, new JsonScalar('0'), new JsonScalar('2')] : next;
}

/** A new value as a delta: arrays and objects would be read as changes if they were not wrapped. */
function replacement(value: JsonTree): JsonTree {
  return isJsonArray(value) || isJsonObject(value) ? [value] : value;
}

function isNumber(tree: JsonTree | undefined, value: number): boolean {
  return tree instanceof JsonScalar && Number(tree.text) === value;
}

function fail(reason: string): never {
  throw new EdgeError('delta.invalid', `the delta does not apply: ${reason}`);
}
