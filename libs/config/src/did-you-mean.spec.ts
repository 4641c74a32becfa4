import { describe, expect, it } from 'vitest';
import { didYouMean } from './did-you-mean.js';

const keys = ['path', 'create', 'collections', 'enable_client_writes', 'enable_client_sync', 'queries'];

describe('did you mean', () => {
  it.each([
    ['pth', 'path'],
    ['craete', 'create'],
    ['colections', 'collections'],
    ['coll', 'collections'],
    ['enableClientSync', 'enable_client_sync'],
    ['enable-client-writes', 'enable_client_writes'],
    ['enable_client_write', 'enable_client_writes'],
  ])('%s means %s', (typed, meant) => expect(didYouMean(typed, keys)).toBe(meant));

  it.each(['', 'x', 'tls', 'interface', 'hash'])('%j means none of them', (typed) =>
    expect(didYouMean(typed, keys)).toBeUndefined(),
  );
});
