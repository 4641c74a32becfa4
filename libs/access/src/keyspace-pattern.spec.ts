import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { covers, parseKeyspacePattern, rightsOn, type AccessRule } from './keyspace-pattern.js';

const keyspace = (database: string, scope = '_default', collection = '_default') => ({ database, scope, collection });

describe('a keyspace pattern', () => {
  it.each([
    ['travel.inventory.hotels', keyspace('travel', 'inventory', 'hotels'), true],
    ['travel.inventory.hotels', keyspace('travel', 'inventory', 'Hotels'), false],
    ['travel.inventory.*', keyspace('travel', 'inventory', 'hotels'), true],
    ['travel.inventory.*', keyspace('travel', 'tenant', 'hotels'), false],
    ['travel.*', keyspace('travel', 'inventory', 'hotels'), true],
    ['travel.*', keyspace('travel'), true],
    ['travel.*', keyspace('plant'), false],
    ['travel', keyspace('travel'), true],
    ['travel', keyspace('travel', '_default', 'hotels'), false],
    ['travel.hotels', keyspace('travel', '_default', 'hotels'), true],
    ['travel.hotels', keyspace('travel', 'hotels', 'hotels'), false],
    ['*', keyspace('anything', 'at', 'all'), true],
  ])('%s on %j: %s', (pattern, candidate, expected) => {
    expect(covers(parseKeyspacePattern(pattern), candidate)).toBe(expected);
  });

  it.each(['', '.', 'a.', '.*', '_a.*', 'a.*.b', 'a.b.c.*', 'a.b.c.d', 'a._b.*', 'a.b c'])('refuses %j', (text) => {
    expect(() => parseKeyspacePattern(text)).toThrow();
  });

  it('is refused with a reason', () => {
    expect(() => parseKeyspacePattern('a.b.c.*')).toThrow('a pattern has at most three parts: db.scope.*');
  });
});

describe('rights', () => {
  const name = fc.constantFrom('a', 'b', '_default');
  const part = fc.option(name, { nil: undefined });
  const rule: fc.Arbitrary<AccessRule> = fc.record({
    pattern: fc.record({ database: part, scope: part, collection: part }),
    read: fc.boolean(),
    write: fc.boolean(),
  });
  const anyKeyspace = fc.record({ database: name, scope: name, collection: name });

  it('are the union over all rules that cover the keyspace', () => {
    fc.assert(
      fc.property(fc.array(rule), fc.array(rule), anyKeyspace, (some, others, wanted) => {
        const [left, right] = [rightsOn(some, wanted), rightsOn(others, wanted)];
        const both = { read: left.read || right.read, write: left.write || right.write };
        expect(rightsOn([...some, ...others], wanted)).toEqual(both);
        expect(rightsOn([...others, ...some], wanted)).toEqual(both);
      }),
    );
  });

  it('do not exist without a rule', () => {
    expect(rightsOn([], keyspace('travel'))).toEqual({ read: false, write: false });
  });
});
