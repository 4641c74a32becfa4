import { describe, expect, it } from 'vitest';
import { matchesNone, readEntityTags } from './entity-tag.js';

describe('entity tags', () => {
  it.each([
    ['"a"', ['a']],
    ['W/"a"', ['a']],
    ['a', ['a']],
    ['"a", W/"b" ,c', ['a', 'b', 'c']],
    ['"1-a,b"', ['1-a,b']],
    ['""', ['']],
    ['', []],
    ['*', '*'],
    [' * ', '*'],
  ])('reads %j', (header, tags) => {
    expect(readEntityTags(header)).toEqual(tags);
  });

  it.each(['"a', 'a"b', '"a" "b"', ',,"a"'])('finds %j malformed', (header) => {
    expect(readEntityTags(header)).toBeUndefined();
  });

  it('matches any of the tags that a resource has', () => {
    expect(matchesNone('"x", "b"', ['a', 'b'])).toBe(true);
    expect(matchesNone('*', ['a'])).toBe(true);
    expect(matchesNone('"x"', ['a'])).toBe(false);
    expect(matchesNone('"a', ['a'])).toBe(false);
    expect(matchesNone(undefined, ['a'])).toBe(false);
  });
});
