import { hash } from 'node:crypto';

/** Bytes of a block of SHA-256. */
const BLOCK = 64;

/**
 * HMAC-SHA-256 of texts under one key, in base64. Two one-shot hashes take 0.8 µs where `createHmac` takes 2 to 11 µs,
 * which counts at one digest per request.
 * @param key 64 hex digits: ASCII of exactly one block, so that both padded keys are ASCII as well
 */
export function keyedDigest(key: string): (text: string) => string {
  const padded = (mask: number) => String.fromCharCode(...Array.from(key, (char) => char.charCodeAt(0) ^ mask));
  const inner = padded(0x36);
  const outer = Buffer.concat([Buffer.from(padded(0x5c)), Buffer.alloc(32)]);
  return (text) => {
    outer.write(hash('sha256', inner + text, 'binary'), BLOCK, 'binary');
    return hash('sha256', outer, 'base64');
  };
}
