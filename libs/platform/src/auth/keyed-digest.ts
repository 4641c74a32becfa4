import { hash } from 'node:crypto';

/**
 * HMAC-SHA-256 of texts under one key, in base64. Two one-shot hashes take 0.8 µs where `createHmac` takes 2 to 11 µs,
 * which counts at one digest per request.
 * @param key 64 hex digits: ASCII of exactly one SHA-256 block, so that both padded keys are ASCII as well
 */
export function keyedDigest(key: string): (text: string) => string {
  const padded = (mask: number) => String.fromCharCode(...Array.from(key, (char) => char.charCodeAt(0) ^ mask));
  const inner = Buffer.from(padded(0x36), 'latin1');
  const outer = Buffer.from(padded(0x5c), 'latin1');
  const innerText = inner.toString('latin1');
  return (text) => hash('sha256', Buffer.concat([outer, hash('sha256', innerText + text, 'buffer')]), 'base64');
}
