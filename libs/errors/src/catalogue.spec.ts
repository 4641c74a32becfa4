import { describe, expect, it } from 'vitest';
import { CATALOGUE, EdgeError, explain, isEdgeError, type ErrorCode } from './index.js';

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

describe('the time after which another try makes sense', () => {
  it.each(codes)('of %s is known if and only if the error is temporary', (code) => {
    const error = new EdgeError(code);
    const isTemporary = error.status === 503 || error.status === 429;
    expect(error.retryAfter).toEqual(isTemporary ? expect.any(Number) : undefined);
  });
});

describe('an error in words', () => {
  it('is its message and those of its causes, each once', () => {
    const cause = new Error('ENOSPC: no space left on device', { cause: 'quota' });
    expect(explain(new EdgeError('storage.full', undefined, { cause }))).toBe(
      'the disk is full: ENOSPC: no space left on device: quota',
    );
    expect(explain(new Error('a: b', { cause: new Error('b') }))).toBe('a: b');
    expect(explain('text')).toBe('text');
  });

  it('names codes that the messages leave out, and all that several attempts met', () => {
    const full = Object.assign(new Error('database or disk is full'), { code: 'SQLITE_FULL' });
    expect(explain(full)).toBe('database or disk is full (SQLITE_FULL)');
    const refused = (address: string) =>
      Object.assign(new Error(`connect ECONNREFUSED ${address}`), { code: 'ECONNREFUSED' });
    const attempts = Object.assign(new AggregateError([refused('::1'), refused('127.0.0.1')]), {
      code: 'ECONNREFUSED',
    });
    expect(explain(attempts)).toBe('ECONNREFUSED: connect ECONNREFUSED ::1: connect ECONNREFUSED 127.0.0.1');
  });

  it('ends even if causes go round', () => {
    const one = new Error('one');
    one.cause = new Error('two', { cause: one });
    expect(explain(one)).toBe('one: two');
  });
});
