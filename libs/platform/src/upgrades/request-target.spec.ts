import { describe, expect, it } from 'vitest';
import { databaseOfSyncTarget, isSyncTarget, originForm, requestedHost } from './request-target.js';

describe('a request target', () => {
  it.each([
    ['/db/doc?rev=1', '/db/doc?rev=1'],
    ['http://edge:59840/db/doc?rev=1', '/db/doc?rev=1'],
    ['HTTPS://edge/db/doc', '/db/doc'],
    ['ws://[::1]:59840/db/_blipsync', '/db/_blipsync'],
    ['wss://edge/db/_blipsync?x', '/db/_blipsync?x'],
    ['http://user:secret@edge/db', '/db'],
    ['http://edge', '/'],
    ['http://edge?x=1', '/?x=1'],
    ['/http://edge/db', '/http://edge/db'],
    ['ftp://edge/db', 'ftp://edge/db'],
    ['*', '*'],
  ])('%s has the origin form %s', (target, expected) => {
    expect(originForm(target)).toBe(expected);
  });

  it('in absolute form names the host, whatever the Host header says', () => {
    const headers = { host: 'proxy' };
    expect(requestedHost({ url: 'http://user@edge:59840/db', headers })).toBe('edge:59840');
    expect(requestedHost({ url: '/db', headers })).toBe('proxy');
    expect(requestedHost({ url: '/db', headers: {} })).toBeUndefined();
  });

  it.each([
    ['/db/_blipsync', 'db'],
    ['/db/_blipsync/', 'db'],
    ['/db/_blipsync?client=sgr2', 'db'],
    ['/db/_blipsync/?x', 'db'],
    ['http://edge/db/_blipsync', 'db'],
    ['https://edge:59840/db/_blipsync?x', 'db'],
    ['/db%2Dtwo/%5fblipsync', 'db-two'],
  ])('%s is that of sync with the database %s', (target, database) => {
    expect(isSyncTarget(target)).toBe(true);
    expect(databaseOfSyncTarget(target)).toBe(database);
  });

  it.each([
    undefined,
    '/db',
    '/_blipsync',
    '//_blipsync',
    '/db/_blipsync/x',
    '/db/_blipsync//',
    '//db/_blipsync',
    '/db/doc/_blipsync',
    '/_db/_blipsync',
    '/%5fdb/_blipsync',
    '/%zz/_blipsync',
    '/db/_BLIPSYNC',
    'db/_blipsync',
    'http://db/_blipsync',
  ])('%s is not that of sync', (target) => {
    expect(isSyncTarget(target)).toBe(false);
    expect(() => databaseOfSyncTarget(target)).toThrow(expect.objectContaining({ code: 'request.upgrade' }));
  });

  it('of sync never names a keyspace', () => {
    expect(isSyncTarget('/db.scope.items/_blipsync')).toBe(true);
    expect(() => databaseOfSyncTarget('/db.scope.items/_blipsync')).toThrow(
      expect.objectContaining({ code: 'keyspace.invalid' }),
    );
  });
});
