import { PassThrough, Readable } from 'node:stream';
import { describe, expect, it } from 'vitest';
import { askPassword } from './ask-password.js';

const piped = (...chunks: (string | Buffer)[]) => Readable.from(chunks.map((chunk) => Buffer.from(chunk)));

/** A terminal on which this is typed, and what it shows. */
function terminal(typed: string) {
  const shown: string[] = [];
  const modes: boolean[] = [];
  const input = Object.assign(new PassThrough(), { isTTY: true, setRawMode: (on: boolean) => modes.push(on) });
  input.write(typed);
  const ask = (again?: string) => askPassword(input, { write: (text) => shown.push(text) }, 'Password: ', again);
  return { ask, shown, modes };
}

describe('a password from a pipe', () => {
  it.each([
    ['alone', ['secret\n']],
    ['without a line end', ['secret']],
    ['repeated', ['secret\nsecret\n']],
    ['with Windows line ends', ['secret\r\nsecret\r\n']],
    ['a chunk for each part', ['se', 'cret\nse', 'cret', '\n']],
  ])('is read %s, and nothing is shown', async (_, chunks) => {
    const shown: string[] = [];
    const output = { write: (text: string) => shown.push(text) };
    expect(await askPassword(piped(...chunks), output, 'Password: ', 'Again: ')).toBe('secret');
    expect(shown).toEqual([]);
  });

  it('may hold multi-byte characters cut anywhere', async () => {
    const bytes = [...Buffer.from('grüße €\n')].map((byte) => Buffer.of(byte));
    expect(await askPassword(piped(...bytes), process.stderr, '')).toBe('grüße €');
  });

  it('must be there', async () => {
    await expect(askPassword(piped(), process.stderr, '')).rejects.toThrow('the input ended before the password');
  });

  it('must be the same where it is repeated', async () => {
    await expect(askPassword(piped('a\nb\n'), process.stderr, '', '')).rejects.toThrow('the two passwords differ');
  });
});

describe('a password from a terminal', () => {
  it('is asked for twice and not shown, and backspace works', async () => {
    const { ask, shown, modes } = terminal('gehx\u007feim\rgeheim\r');
    expect(await ask('Again: ')).toBe('geheim');
    expect(shown).toEqual(['Password: ', '\n', 'Again: ', '\n']);
    expect(modes).toEqual([true, false]);
  });

  it.each([
    ['Ctrl-C', 'ge\u0003', 'interrupted'],
    ['Ctrl-D', '\u0004', 'the input ended before the password'],
    ['another one the second time', 'a\rb\r', 'the two passwords differ'],
    ['Ctrl-D the second time', 'a\r\u0004', 'the input ended before the password'],
  ])('is given up with %s, which restores the terminal', async (_, typed, message) => {
    const { ask, modes } = terminal(typed);
    await expect(ask('Again: ')).rejects.toThrow(message);
    expect(modes.at(-1)).toBe(false);
  });
});
