import { describe, expect, it } from 'vitest';
import { decodeCheckpoint, encodeCheckpoint, reconcile } from './checkpoints.js';

describe('a checkpoint', () => {
  it.each([{}, { local: 3 }, { remote: '5' }, { local: 0, remote: '"7:9"' }])(
    'is read as it was written: %j',
    (place) => {
      expect(decodeCheckpoint(encodeCheckpoint(place))).toEqual(place);
    },
  );

  it.each([undefined, '', 'null', '[1]', '{"local":"3"}', '{"local":1.5,"remote":{}}', '{'])(
    'without meaning counts as none: %s',
    (body) => {
      expect(decodeCheckpoint(body)).toEqual({});
    },
  );
});

// docs/protocol/checkpoints.md#starting
describe('R24: of two places', () => {
  it.each([
    ['5', '5', '5'],
    ['5', '7', '5'],
    ['"7:9"', '"7:9"', '"7:9"'],
    ['"7:9"', '8', '"7:9"'],
    ['"7:9"', '7', '"7:9"'],
    ['"7:9"', '6', '6'],
    ['"5:7:6"', '6', '"5:7:6"'],
    ['"5::6"', '4', '4'],
    ['"7:9"', '"7:8"', undefined],
    ['"x"', '4', undefined],
    ['"7:"', '4', undefined],
    ['5', undefined, undefined],
  ])('%s and %s the earlier one counts: %s', (ours, theirs, expected) => {
    const place = (remote: string | undefined) => (remote === undefined ? {} : { remote });
    expect(reconcile(place(ours), place(theirs)).remote).toBe(expected);
    expect(reconcile(place(theirs), place(ours)).remote).toBe(expected);
  });

  it('the smaller local one counts, and none if one side has none', () => {
    expect(reconcile({ local: 3 }, { local: 5 })).toEqual({ local: 3 });
    expect(reconcile({ local: 3 }, {})).toEqual({});
  });
});
