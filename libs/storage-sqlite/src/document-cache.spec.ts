import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { DocumentCache } from './document-cache.js';
import type { DocumentRow } from './rows.js';

function row(id: string, sequence: number, body = '{}'): DocumentRow {
  return { row: sequence, id, sequence, flags: 0, expires_at: null, rev: '1-a', vector: '1@a', tree: '1-a', body };
}

describe('the document cache', () => {
  it('never gives out a row that was forgotten or replaced, whatever is read, written and pushed out', () => {
    const action = fc.record({
      kind: fc.constantFrom('read', 'write'),
      collection: fc.integer({ min: 1, max: 2 }),
      id: fc.constantFrom(...'abcdefgh'),
    });
    fc.assert(
      fc.property(fc.array(action, { maxLength: 200 }), (actions) => {
        const cache = new DocumentCache(2_000 * 64);
        const stored = new Map<string, number>();
        for (const [at, { kind, collection, id }] of actions.entries()) {
          const key = `${collection}/${id}`;
          if (kind === 'write') {
            cache.forget(collection, id);
            stored.set(key, at);
          } else {
            const found = cache.find(collection, id);
            const sequence = stored.get(key);
            if (found) expect(found.sequence).toBe(sequence);
            else if (sequence !== undefined) cache.keep(collection, row(id, sequence, 'x'.repeat(1_000)));
          }
        }
      }),
    );
  });

  it('keeps what is read again and drops what is not', () => {
    const cache = new DocumentCache(64_000);
    cache.keep(1, row('often', 1));
    for (let at = 0; at < 1_000; at++) {
      cache.keep(1, row(`once-${at}`, at));
      expect(cache.find(1, 'often')).toBeDefined();
    }
    expect(cache.find(1, 'once-0')).toBeUndefined();
  });

  it('does not let one large row push out the others', () => {
    const cache = new DocumentCache(64_000);
    cache.keep(1, row('small', 1));
    cache.keep(1, row('large', 2, 'x'.repeat(60_000)));
    expect(cache.find(1, 'large')).toBeUndefined();
    expect(cache.find(1, 'small')).toBeDefined();
  });
});
