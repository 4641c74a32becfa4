import { describe, expect, it } from 'vitest';
import { ListingParameters } from '../listing/listing-parameters.js';
import { ExpiryQuery, readDeadline } from './expiry.js';
import { readParameters } from './read-parameters.js';
import { ANY_REVISION, readExpectedRevision } from './revision.js';
import { WriteDocumentQuery } from '../documents/document-queries.js';

describe('parameters', () => {
  it('are read from text and from JSON alike', () => {
    const expected = {
      descending: true,
      include_docs: false,
      keys: ['a'],
      limit: 5,
      skip: 0,
      startkey: 'x',
      show_cv: false,
      inclusive_end: true,
    };
    const texts = { descending: '', include_docs: '0', keys: '["a"]', limit: '5', startkey: 'x' };
    const values = { descending: true, include_docs: false, keys: ['a'], limit: 5, startkey: 'x', endkey: null };
    expect(readParameters(ListingParameters, texts)).toEqual(expected);
    expect(readParameters(ListingParameters, values)).toEqual(expected);
  });

  it.each([
    ['attachments', 'true'],
    ['conflicts', ''],
    ['queries', [{}]],
    ['startkey_docid', 'a'],
  ])('are refused by their name if they mean something elsewhere and are not supported: %s', (name, value) => {
    const message = `the parameter ${name} is not supported`;
    const refusal = expect.objectContaining({ code: 'request.parameter', message });
    expect(() => readParameters(ListingParameters, { [name]: value })).toThrow(refusal);
    for (const nothing of [false, 'false', '0', null])
      expect(() => readParameters(ListingParameters, { [name]: nothing })).not.toThrow();
  });

  it('are inherited', () => {
    const given = { rev: '1-aa', ttl: '5', expires: 6, show_cv: '' };
    expect(readParameters(WriteDocumentQuery, given)).toEqual({ rev: '1-aa', ttl: 5, expires: 6, show_cv: true });
  });
});

// docs/protocol/rest.md#expiry
describe('the deadline', () => {
  const deadline = (values: object): number | undefined =>
    readDeadline(Object.assign(new ExpiryQuery(), values), 1_000_999);

  it('is the earlier one; zero is not given', () => {
    expect(deadline({})).toBeUndefined();
    expect(deadline({ ttl: 0, expires: 0 })).toBeUndefined();
    expect(deadline({ ttl: 10 })).toBe(1_010);
    expect(deadline({ expires: 5 })).toBe(5);
    expect(deadline({ ttl: 10, expires: 2_000 })).toBe(1_010);
    expect(deadline({ ttl: 10, expires: 1_005 })).toBe(1_005);
  });
});

// docs/protocol/rest.md#writing-documents
describe('the revision that a write replaces', () => {
  it('comes from the URL, If-Match or the body', () => {
    expect(readExpectedRevision(undefined, undefined)).toBeUndefined();
    expect(readExpectedRevision('', undefined)).toBeUndefined();
    expect(readExpectedRevision('1-a', undefined)).toBe('1-a');
    expect(readExpectedRevision(undefined, '"1-a"')).toBe('1-a');
    expect(readExpectedRevision(undefined, undefined, '1-a')).toBe('1-a');
    expect(readExpectedRevision('1-a', 'W/"1-a"', '1-a')).toBe('1-a');
    expect(readExpectedRevision(undefined, '*')).toBe(ANY_REVISION);
    expect(readExpectedRevision('1-a', '*')).toBe('1-a');
  });

  it('has its plus signs back that an unencoded version loses in a URL', () => {
    expect(readExpectedRevision('18ab@a b/c ', undefined)).toBe('18ab@a b/c'.replace(' ', '+'));
  });

  it.each([
    ['1-a', '2-a', undefined],
    ['1-a', undefined, '2-a'],
    [undefined, '1-a', '2-a'],
    [undefined, '"1-a", "2-a"', undefined],
  ])('must not be contradictory: %s, %s, %s', (rev, ifMatch, bodyRev) => {
    expect(() => readExpectedRevision(rev, ifMatch, bodyRev)).toThrow();
  });
});
