import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { parseBasic } from './basic-credentials.js';

const basic = (text: string) => `Basic ${Buffer.from(text).toString('base64')}`;

describe('Basic credentials', () => {
  it('read back as sent', () => {
    const name = fc.stringMatching(/^[^:\u0000-\u001f]{1,80}$/);
    fc.assert(
      fc.property(name, fc.string({ unit: 'grapheme' }), (user, password) => {
        expect(parseBasic(basic(`${user}:${password}`))).toEqual({ name: user, password });
      }),
    );
  });

  it('take the scheme in any case', () => {
    expect(parseBasic(basic('a:b').replace('Basic', 'bASIC'))).toEqual({ name: 'a', password: 'b' });
  });

  it.each([
    '',
    'Basic',
    'Basic ',
    'Basic !!!',
    'Bearer YTpi',
    `${basic('a:b')} x`,
    basic('nocolon'),
    basic(':pw'),
    'YTpi',
  ])('are not %j', (header) => expect(parseBasic(header)).toBeUndefined());

  it('are not a name longer than a user can have', () => {
    expect(parseBasic(basic(`${'x'.repeat(255)}:pw`))).toBeDefined();
    expect(parseBasic(basic(`${'x'.repeat(256)}:pw`))).toBeUndefined();
  });
});
