import { describe, expect, it } from 'vitest';
import { formatCollection, formatWireCollection, keyspaceKey, parseCollectionName, parseKeyspace } from './index.js';

const fault = (reason: RegExp) =>
  expect.objectContaining({ code: 'keyspace.invalid', message: expect.stringMatching(reason) });

describe('parseKeyspace', () => {
  it.each([
    ['plant', 'plant', '_default', '_default'],
    ['travel-sample.airline', 'travel-sample', '_default', 'airline'],
    ['db.inventory.air%line', 'db', 'inventory', 'air%line'],
    ['db._default', 'db', '_default', '_default'],
    ['db._default._default', 'db', '_default', '_default'],
    ['my db!.c', 'my db!', '_default', 'c'],
  ])('reads %s', (text, database, scope, collection) => {
    expect(parseKeyspace(text)).toEqual({ database, scope, collection });
  });

  it.each([
    ['', /database name is empty/],
    ['.x', /database name is empty/],
    ['db.', /collection name is empty/],
    ['db..c', /scope name is empty/],
    ['db.a.b.c', /at most three parts/],
    ['_all', /must not start with an underscore/],
    ['a/b', /"\." or "\/"/],
    ['größe', /printable ASCII/],
    ['a\nb', /printable ASCII/],
    ['x'.repeat(241), /longer than 240/],
    ['db._private', /must not start with "_" or "%"/],
    ['db.%x', /must not start with "_" or "%"/],
    ['db.a b', /letters, digits/],
    [`db.${'c'.repeat(252)}`, /longer than 251/],
    ['db._system.c', /scope name must not start/],
  ])('refuses %j with a precise reason', (text, reason) => {
    expect(() => parseKeyspace(text)).toThrow(fault(reason));
  });

  it('accepts names of the greatest length', () => {
    expect(parseKeyspace(`${'d'.repeat(240)}.${'s'.repeat(251)}.${'c'.repeat(251)}`).scope).toHaveLength(251);
  });
});

describe('collection names', () => {
  it.each([
    ['_default', '_default', '_default', '_default'],
    ['coll', '_default.coll', 'coll', 'coll'],
    ['scope.coll', 'scope.coll', 'scope.coll', 'scope.coll'],
    ['_default.coll', '_default.coll', 'coll', 'coll'],
  ])('%s is %s over REST and %s over BLIP, which reads back', (text, rest, wire) => {
    const name = parseCollectionName(text);
    expect(formatCollection(name)).toBe(rest);
    expect(formatWireCollection(name)).toBe(wire);
    expect(parseCollectionName(wire)).toEqual(name);
    expect(parseCollectionName(rest)).toEqual(name);
  });

  it('refuses more than a scope and a collection', () => {
    expect(() => parseCollectionName('a.b.c')).toThrow(fault(/at most two parts/));
    expect(() => parseCollectionName('')).toThrow(fault(/empty/));
  });

  it('has a key that reads back and is unique', () => {
    const keyspace = parseKeyspace('db.s.c');
    expect(parseKeyspace(keyspaceKey(keyspace))).toEqual(keyspace);
    for (const other of ['db2.s.c', 'db.t.c', 'db.s.d'])
      expect(keyspaceKey(parseKeyspace(other))).not.toBe(keyspaceKey(keyspace));
  });
});
