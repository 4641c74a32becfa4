import { EdgeError } from '@edgesync/errors';
import type { Properties } from '@edgesync/blip';

const utf8Decoder = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });
const utf8Encoder = new TextEncoder();

/**
 * Whether a boolean property is set: `true`, `YES` in any case, or an integer but zero
 * (docs/protocol/blip.md#booleans).
 */
export function readBoolean(properties: Properties, name: string): boolean {
  const value = properties.get(name);
  if (value === undefined) return false;
  if (value === '1' || value === 'true') return true;
  return /^(?:true|yes|[+-]?0*[1-9][0-9]*)$/i.test(value);
}

/** A property that counts something. Anything but decimal digits counts as absent. */
export function readCount(properties: Properties, name: string): number | undefined {
  const value = properties.get(name);
  return value !== undefined && /^[0-9]{1,15}$/.test(value) ? Number(value) : undefined;
}

/** @throws EdgeError `request.invalid` */
export function requireProperty(properties: Properties, name: string): string {
  const value = properties.get(name);
  if (value === undefined || value === '') throw new EdgeError('request.invalid', `missing property "${name}"`);
  return value;
}

/**
 * The `collection` property: an index into the list of `getCollections`.
 * @returns undefined if the property is absent
 * @throws EdgeError `request.invalid`
 */
export function readCollectionIndex(properties: Properties): number | undefined {
  const value = properties.get('collection');
  if (value === undefined) return undefined;
  if (!/^[0-9]{1,9}$/.test(value)) throw new EdgeError('request.invalid', 'the collection property is not an index');
  return Number(value);
}

/** @throws EdgeError `request.json` if the bytes are not UTF-8 */
export function decodeText(bytes: Uint8Array): string {
  try {
    return utf8Decoder.decode(bytes);
  } catch (cause) {
    throw new EdgeError('request.json', 'the body is not UTF-8', { cause });
  }
}

/** @throws EdgeError `request.json` */
export function decodeJson(bytes: Uint8Array): unknown {
  try {
    return JSON.parse(decodeText(bytes));
  } catch (cause) {
    throw cause instanceof EdgeError ? cause : new EdgeError('request.json', undefined, { cause });
  }
}

export function encodeText(text: string): Uint8Array {
  return utf8Encoder.encode(text);
}

/**
 * Sequences of a peer are JSON: a number or a string. They are compared, stored and sent back as text
 * (docs/protocol/checkpoints.md#sequences), in the one spelling that {@link sequenceText} gives them.
 */
export type SequenceText = string;

/** The text of a sequence that was parsed with its row; undefined if it is no sequence. */
export function sequenceText(value: unknown): SequenceText | undefined {
  return typeof value === 'number' || typeof value === 'string' ? JSON.stringify(value) : undefined;
}

/** The text of a sequence that came as a property: JSON, or a string without its quotes. */
export function sequenceProperty(value: string): SequenceText {
  try {
    return sequenceText(JSON.parse(value)) ?? JSON.stringify(value);
  } catch {
    return JSON.stringify(value);
  }
}

/**
 * Where to resume one of our own feeds, whose sequences are integers from 1: from `5`, quoted or bare. Whatever else
 * stands there was never a sequence of ours, so everything is sent again from 0.
 */
export function resumePoint(since: string | undefined): number {
  const digits = /^"?([0-9]{1,15})"?$/.exec(since ?? '')?.[1];
  return digits === undefined ? 0 : Number(digits);
}
