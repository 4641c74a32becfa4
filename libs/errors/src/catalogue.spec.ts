import { describe, expect, it } from 'vitest';
import { CATALOGUE, EdgeError, isEdgeError, type ErrorCode } from './index.js';

const codes = Object.keys(CATALOGUE) as ErrorCode[];

describe('the error catalogue', () => {
  it.each(codes)('%s has a status, a reason and a remedy', (code) => {
    const { http, reason, remedy } = CATALOGUE[code];
    expect(http).toBeGreaterThanOrEqual(400);
    expect(http).toBeLessThan(600);
    expect(reason).not.toBe('');
    expect(remedy).toMatch(/\.$/);
  });

  it('gives temporary errors a status that Couchbase Lite retries', () => {
    for (const code of ['storage.busy', 'storage.unavailable', 'server.overloaded', 'server.draining'] as const)
      expect(new EdgeError(code).status).toBe(503);
  });

  it('gives the catalogue’s reason unless the thrower knows better', () => {
    expect(new EdgeError('doc.missing').message).toBe('missing');
    expect(new EdgeError('doc.invalid', 'the body is an array').message).toBe('the body is an array');
    expect(isEdgeError(new EdgeError('doc.missing'), 'doc.missing')).toBe(true);
    expect(isEdgeError(new Error('doc.missing'))).toBe(false);
  });
});
