import { BlipClosedError } from '@edgesync/blip';
import { EdgeError } from '@edgesync/errors';
import { ReplicationError } from '@edgesync/replicator';
import { DialError } from '@edgesync/socket-ws';
import { describe, expect, it } from 'vitest';
import { retryDelayMs, triesAgain } from './back-off.js';
import { failureOf } from './failure.js';

const summary = (error: unknown): string => {
  const { domain, code, kind } = failureOf(error);
  return `${domain}/${code} ${kind}`;
};

// docs/protocol/edge-server.md#upstream
describe('a failure', () => {
  it.each([
    [401, '6/401 permanent'],
    [403, '6/403 permanent'],
    [404, '6/404 permanent'],
    [407, '6/407 permanent'],
    [408, '6/408 transient'],
    [429, '6/429 transient'],
    [500, '6/500 permanent'],
    [502, '6/502 transient'],
    [503, '6/503 transient'],
    [504, '6/504 transient'],
  ])('of HTTP with status %i is %s', (status, expected) => {
    expect(summary(new DialError('x', status))).toBe(expected);
  });

  it.each([
    ['EAI_AGAIN', '5/1 transient'],
    ['ENOTFOUND', '5/2 offline'],
    ['ETIMEDOUT', '5/3 transient'],
    ['CERT_HAS_EXPIRED', '5/7 permanent'],
    ['CERT_NOT_YET_VALID', '5/8 offline'],
    ['HPE_INVALID_CONSTANT', '6/1002 offline'],
    ['ERR_TOO_MANY_REDIRECTS', '5/5 permanent'],
    ['ERR_INVALID_REDIRECT', '5/12 permanent'],
    ['ERR_INVALID_URL', '5/4 permanent'],
    ['ERR_TLS_CERT_ALTNAME_INVALID', '5/15 permanent'],
    ['ERR_SSL_WRONG_VERSION_NUMBER', '5/6 permanent'],
    ['ECONNRESET', '5/18 transient'],
    ['ECONNREFUSED', '5/19 transient'],
    ['ENETUNREACH', '5/21 offline'],
    ['EHOSTUNREACH', '5/24 offline'],
    ['EWHATEVER', '5/13 transient'],
  ])('of the network with code %s is %s, also inside of others', (code, expected) => {
    const cause = Object.assign(new Error('x'), { code });
    expect(summary(new DialError('x', undefined, { cause }))).toBe(expected);
    const several = Object.assign(new AggregateError([cause]), { code: 'EOTHER' });
    expect(summary(new DialError('x', undefined, { cause: several }))).toBe(expected);
    const proxied = new DialError('proxy: x', undefined, { cause });
    expect(summary(new DialError('x', undefined, { cause: proxied }))).toBe(expected);
  });

  // docs/protocol/connection.md#as-an-active-peer
  it.each([
    [1000, 'transient'],
    [1001, 'transient'],
    [1002, 'permanent'],
    [1005, 'transient'],
    [1006, 'transient'],
    [1008, 'permanent'],
    [1009, 'permanent'],
    [1011, 'transient'],
    [1012, 'transient'],
    [1013, 'transient'],
    [4001, 'transient'],
    [4002, 'permanent'],
  ])('of a connection that the server closes with %i is %s', (code, kind) => {
    expect(summary(new BlipClosedError({ code, reason: '', by: 'peer' }))).toBe(`6/${code} ${kind}`);
  });

  // docs/protocol/failures.md#errors-on-requests
  it.each([
    ['HTTP', 400, '6/400 permanent'],
    ['HTTP', 403, '6/403 permanent'],
    ['HTTP', 500, '6/500 transient'],
    ['HTTP', 501, '6/501 permanent'],
    ['HTTP', 503, '6/503 transient'],
    ['LiteCore', 501, '1/501 permanent'],
    ['BLIP', 404, '1/26 permanent'],
    ['Strange', 1, '1/26 permanent'],
  ])('of a request that is refused with %s/%i is %s', (domain, code, expected) => {
    expect(summary(new ReplicationError({ domain, code, message: 'x' }, 'subChanges'))).toBe(expected);
  });

  it.each([
    ['storage.full', '2/28 transient'],
    ['storage.busy', '1/12 transient'],
    ['keyspace.unknown', '1/7 permanent'],
    ['request.invalid', '1/9 permanent'],
  ] as const)('of ours, %s, is %s', (code, expected) => {
    expect(summary(new EdgeError(code))).toBe(expected);
  });

  it('of a handshake in another protocol is permanent', () => {
    expect(summary(new DialError('Server sent no subprotocol', undefined))).toBe('6/1002 permanent');
  });
});

describe('the pause before the next attempt', () => {
  it('doubles from two seconds to five minutes, and is up to a quarter shorter by chance', () => {
    expect([1, 2, 3, 8, 9, 100].map((failures) => retryDelayMs('transient', failures, 0))).toEqual([
      2_000, 4_000, 8_000, 256_000, 300_000, 300_000,
    ]);
    expect(retryDelayMs('offline', 1, 0.999)).toBe(1_501);
  });

  it('is longer after a refusal: from ten seconds to ten minutes', () => {
    expect([1, 2, 6, 7, 100].map((failures) => retryDelayMs('permanent', failures, 0))).toEqual([
      10_000, 20_000, 320_000, 600_000, 600_000,
    ]);
    expect(retryDelayMs('permanent', 100, 0.5)).toBe(525_000);
  });

  it('never ends for a continuous replication, and after nine for others', () => {
    const tries = (continuous: boolean, failures: number, kind: 'transient' | 'offline' = 'transient'): boolean =>
      triesAgain(kind, { continuous, isPersistent: false }, failures);
    expect([tries(true, 9), tries(true, 1_000)]).toEqual([true, true]);
    expect([tries(false, 9), tries(false, 10)]).toEqual([true, false]);
    expect([tries(true, 1, 'offline'), tries(false, 1, 'offline')]).toEqual([true, false]);
  });

  it('is made after a refusal only by a replication that goes on whatever happens', () => {
    const tries = (isPersistent: boolean): boolean =>
      triesAgain('permanent', { continuous: true, isPersistent }, 1_000);
    expect([tries(true), tries(false)]).toEqual([true, false]);
  });
});
