import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { AUDIT_EVENTS } from './audit-events.js';
import { selectEvents, unknownEvents } from './audit-selection.js';

const ALL = Object.values(AUDIT_EVENTS);
const IDS: readonly number[] = ALL.map(({ id }) => id);
const DEFAULTS = new Set<number>([
  57344, 57345, 57347, 57348, 57350, 57351, 57352, 57353, 57354, 57355, 57356, 57357, 57363,
]);

describe('audit events', () => {
  it('are numbered from 57344 to 57363, each once', () => {
    expect([...IDS].sort()).toEqual(Array.from({ length: 20 }, (_, index) => 57344 + index));
  });

  it('are on or off by default as documented', () => expect(selectEvents({})).toEqual(DEFAULTS));
});

describe('selection of audit events', () => {
  it.each([
    [{ disable: '*' as const }, []],
    [{ enable: '*' as const }, IDS],
    [{ disable: '*' as const, enable: [57346, 57359] }, [57346, 57359]],
    [{ disable: '*' as const, enable: '*' as const }, IDS],
    [{ disable: [57344], enable: [57344] }, [...DEFAULTS]],
    [{ disable: [57344] }, [...DEFAULTS].filter((id) => id !== 57344)],
    [{ disable: [57346], enable: [] }, [...DEFAULTS]],
  ])('%j', (config, expected) => expect([...selectEvents(config)].sort()).toEqual([...expected].sort()));

  it('starts from the defaults, removes what is disabled and adds what is enabled', () => {
    const list = fc.option(fc.oneof(fc.constant('*' as const), fc.subarray([...IDS])), { nil: undefined });
    fc.assert(
      fc.property(list, list, (enable, disable) => {
        const expected = new Set(DEFAULTS);
        for (const id of disable === '*' ? IDS : (disable ?? [])) expected.delete(id);
        for (const id of enable === '*' ? IDS : (enable ?? [])) expected.add(id);
        expect(selectEvents({ ...(enable && { enable }), ...(disable && { disable }) })).toEqual(expected);
      }),
    );
  });

  it('reports numbers that are no event', () => {
    expect(unknownEvents({ enable: [57344, 7], disable: [7, 8] })).toEqual([7, 8]);
    expect(unknownEvents({ enable: '*' })).toEqual([]);
  });
});
