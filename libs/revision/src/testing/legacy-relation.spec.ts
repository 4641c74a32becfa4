import { describe, expect, it, test } from 'vitest';
import fixture from '../../fixtures/vector-relation-with-legacy.json' with { type: 'json' };
import { compareWithLegacy } from './legacy-relation.js';
import { legacyVersionOf } from '../version.js';

// The fixture writes times as letters and revision IDs as 2-L.
const REVS: Record<string, string> = { '1-K': '1-cc', '2-L': '2-bb', '2-M': '2-dd', '3-M': '3-dd' };

function concrete(text: string): string {
  return text
    .replace(/RTE\((\d-[A-Z])\)/g, (_, rev: string) => legacyVersionOf(REVS[rev] as string))
    .replace(/\b\d-[A-Z]\b/g, (rev) => REVS[rev] as string)
    .replace('; history ', ',')
    .replace(/\b([A-D])@/g, (_, time: string) => `${time.toLowerCase()}@`);
}

describe('the relation a Couchbase Lite 4 client sees', () => {
  const pairs = fixture.cases.filter(({ local }) => local !== '(none)');
  // docs/protocol/revisions.md#sending-to-version-vector-clients
  test.each(pairs)('V15: "$incoming" meets "$local": $result', ({ local, incoming, result }) => {
    expect(compareWithLegacy(concrete(local), concrete(incoming))).toBe(result);
  });

  it('V15: what lies behind the local revision is older', () => {
    expect(compareWithLegacy('2-bb,1-cc', '1-cc')).toBe('older');
    expect(compareWithLegacy('5@s; 2-bb, 1-cc', '1-cc')).toBe('older');
    expect(compareWithLegacy(legacyVersionOf('2-bb'), '2-bb')).toBe('same');
    expect(compareWithLegacy('5@s', '2-bb')).toBe('conflict');
  });
});
