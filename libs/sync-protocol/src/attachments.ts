import { EdgeError } from '@edgesync/errors';
import { isBlobDigest } from '@edgesync/document';
import { type BlipMessage, Properties, type RequestInit } from '@edgesync/blip';
import { Profile } from './profile.js';
import { readBoolean, requireProperty } from './values.js';

/** A `getAttachment` request (docs/protocol/replication.md#getattachment). */
export interface GetAttachment {
  readonly digest: string;
  readonly docId?: string;
  /** The content is worth compressing. */
  readonly compress: boolean;
}

/** @throws EdgeError `request.invalid` */
export function parseGetAttachment(message: BlipMessage): GetAttachment {
  const { properties } = message;
  const docId = properties.get('docID');
  return {
    digest: readDigest(properties),
    ...(docId !== undefined && { docId }),
    compress: readBoolean(properties, 'compress'),
  };
}

export function buildGetAttachment(request: GetAttachment, collection?: string): RequestInit {
  const { digest, docId, compress } = request;
  return {
    properties: Properties.from({
      Profile: Profile.getAttachment,
      collection,
      digest,
      docID: docId,
      compress: compress ? 'true' : undefined,
    }),
  };
}

/** Longest nonce of a proof in bytes: its length is hashed as one byte (docs/protocol/blobs-and-deltas.md#proofs). */
export const MAX_NONCE_BYTES = 255;

/** A `proveAttachment` request (docs/protocol/replication.md#proveattachment). */
export interface ProveAttachment {
  readonly digest: string;
  readonly nonce: Uint8Array;
}

/** @throws EdgeError `request.invalid` */
export function parseProveAttachment(message: BlipMessage): ProveAttachment {
  const nonce = message.body;
  if (nonce.length === 0 || nonce.length > MAX_NONCE_BYTES)
    throw new EdgeError('request.invalid', `a nonce has 1 to ${MAX_NONCE_BYTES} bytes`);
  return { digest: readDigest(message.properties), nonce };
}

export function buildProveAttachment({ digest, nonce }: ProveAttachment, collection?: string): RequestInit {
  return { properties: Properties.from({ Profile: Profile.proveAttachment, collection, digest }), body: nonce };
}

/**
 * Bytes hashed before the content to prove that one has it: the length of the nonce, then the nonce
 * (docs/protocol/blobs-and-deltas.md#proofs).
 */
export function proofPrefix(nonce: Uint8Array): Uint8Array {
  const prefix = new Uint8Array(nonce.length + 1);
  prefix[0] = nonce.length;
  prefix.set(nonce, 1);
  return prefix;
}

const COMPRESSED_TYPE = /zip|zlib|pkcs|mpeg|mp4|crypt|rar|^image\/(?!svg)|^audio\/|^video\//i;

/**
 * Whether content of a type is likely to shrink; unknown types are not tried, as LiteCore does it
 * (docs/protocol/blobs-and-deltas.md#transfer).
 */
export function isCompressible(contentType: string | undefined): boolean {
  return contentType !== undefined && contentType !== '' && !COMPRESSED_TYPE.test(contentType);
}

function readDigest(properties: Properties): string {
  const digest = requireProperty(properties, 'digest');
  if (!isBlobDigest(digest)) throw new EdgeError('request.invalid', 'not a blob digest');
  return digest;
}
