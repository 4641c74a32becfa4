import { createHmac } from 'node:crypto';
import fc from 'fast-check';
import { expect, it } from 'vitest';
import { keyedDigest } from './keyed-digest.js';

it('is HMAC-SHA-256', () => {
  const key = fc.stringMatching(/^[0-9a-f]{64}$/);
  fc.assert(
    fc.property(key, fc.string({ unit: 'grapheme' }), (hex, text) => {
      expect(keyedDigest(hex)(text)).toBe(createHmac('sha256', hex).update(text).digest('base64'));
    }),
  );
});
