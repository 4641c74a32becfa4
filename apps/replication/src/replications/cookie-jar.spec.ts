import { describe, expect, it } from 'vitest';
import { CookieJar } from './cookie-jar.js';

const SYNC = 'wss://edge:4984/db/_blipsync';

describe('cookies of a server', () => {
  it('are sent back until the server takes them back', async () => {
    const jar = new CookieJar();
    await jar.store(SYNC, ['a=1; Path=/; HttpOnly', 'b="x=y"; Path=/', 'broken', '=nameless']);
    expect(jar.header(SYNC)).toBe('a=1; b="x=y"');
    await jar.store(SYNC, ['a=; Max-Age=0; Path=/', 'b=2; Path=/']);
    expect(jar.header(SYNC)).toBe('b=2');
    await jar.store(SYNC, ['b=; Expires=Thu, 01 Jan 1970 00:00:00 GMT; Path=/']);
    expect(jar.header(SYNC)).toBe('');
  });

  it('go to every port of the host and to no other host', async () => {
    const jar = new CookieJar();
    await jar.store(SYNC, ['a=1; Path=/']);
    expect(jar.header('wss://edge:4985/db/_blipsync')).toBe('a=1');
    expect(jar.header('wss://other:4984/db/_blipsync')).toBe('');
  });

  it('go to other paths and in plain text only as far as the server says', async () => {
    const jar = new CookieJar();
    await jar.store(SYNC, ['deep=1; Path=/db', 'safe=1; Path=/; Secure']);
    expect(jar.header(SYNC)).toBe('deep=1; safe=1');
    expect(jar.header('wss://edge:4984/other')).toBe('safe=1');
    expect(jar.header('ws://edge:4984/db/_blipsync')).toBe('deep=1');
  });

  it('work on hosts that are addresses or have a single label', async () => {
    for (const host of ['127.0.0.1', 'localhost', 'edge', '[::1]', 'edge.local']) {
      const jar = new CookieJar();
      await jar.store(`ws://${host}:4984/db/_blipsync`, ['a=1; Path=/']);
      expect([host, jar.header(`ws://${host}/db/_blipsync`)]).toEqual([host, 'a=1']);
    }
  });
});
