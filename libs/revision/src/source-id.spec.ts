import { describe, expect, it, test } from 'vitest';
import fixture from '../fixtures/source-id.json' with { type: 'json' };
import { isSourceId, LEGACY_SOURCE, ME_SOURCE, sourceIdFromBytes } from './source-id.js';

const bytesOf = (uuid: string): Uint8Array => Uint8Array.from(Buffer.from(uuid.replaceAll('-', ''), 'hex'));

describe('source IDs', () => {
  test.each(fixture.fromUUID.filter(({ sourceID }) => sourceID !== LEGACY_SOURCE))(
    'V2: $uuid is $sourceID',
    ({ uuid, sourceID }) => expect(sourceIdFromBytes(bytesOf(uuid))).toBe(sourceID),
  );

  it('V2: the reserved sources are never made', () => {
    const reserved = fixture.fromUUID.find(({ sourceID }) => sourceID === LEGACY_SOURCE);
    expect(() => sourceIdFromBytes(bytesOf(reserved?.uuid ?? ''))).toThrow('reserved');
    expect(() => sourceIdFromBytes(new Uint8Array(16))).toThrow('reserved');
    expect(() => sourceIdFromBytes(new Uint8Array(15))).toThrow('16 bytes');
  });

  test.each([...fixture.valid, LEGACY_SOURCE])('V2: %s may be on the wire', (source) =>
    expect(isSourceId(source)).toBe(true),
  );

  test.each([...fixture.invalidSourceIDs, fixture.meOnly, '*', ''])('V2: "%s" may not', (source) =>
    expect(isSourceId(source)).toBe(false),
  );

  it('"me" is the source of zero bytes', () => expect(fixture.meOnly).toBe(ME_SOURCE));
});
