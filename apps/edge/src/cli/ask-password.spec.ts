import { PassThrough, Readable } from 'node:stream';
import { describe, expect, it } from 'vitest';
import { PasswordPrompt } from './ask-password.js';

function promptOn(input: Readable, terminal = false) {
  const shown: string[] = [];
  const modes: boolean[] = [];
  const source = Object.assign(input, { isTTY: terminal, setRawMode: (on: boolean) => modes.push(on) });
  const prompt = new PasswordPrompt(source as never, { write: (text) => shown.push(text) });
  return { prompt, shown, modes };
}
const piped = (...chunks: string[]) => promptOn(Readable.from(chunks.map((chunk) => Buffer.from(chunk))));

describe('passwords from a pipe', () => {
  it.each([
    ['one chunk', ['geheim\ngeheim\n']],
    ['no last line end', ['geheim\ngeheim']],
    ['Windows line ends', ['geheim\r\ngeheim\r\n']],
    ['a chunk for each part', ['ge', 'heim\nge', 'heim', '\n']],
  ])('are read line by line: %s', async (_, chunks) => {
    const { prompt, shown } = piped(...chunks);
    expect(await prompt.ask('Password: ')).toBe('geheim');
    expect(await prompt.ask('Again: ')).toBe('geheim');
    expect(shown).toEqual([]);
  });

  it('may hold multi-byte characters cut anywhere', async () => {
    const bytes = [...Buffer.from('grüße €\n')].map((byte) => Buffer.of(byte));
    expect(await promptOn(Readable.from(bytes)).prompt.ask('')).toBe('grüße €');
  });

  it('must be there', async () => {
    const { prompt } = piped('geheim\n');
    await prompt.ask('');
    await expect(prompt.ask('')).rejects.toThrow('the input ended before the password');
  });
});

describe('passwords from a terminal', () => {
  it('are not shown, and backspace works', async () => {
    const terminal = new PassThrough();
    const { prompt, shown, modes } = promptOn(terminal, true);
    terminal.write('gehx\u007feim\r');
    expect(await prompt.ask('Password: ')).toBe('geheim');
    terminal.write('again\n');
    expect(await prompt.ask('Again: ')).toBe('again');
    expect(shown).toEqual(['Password: ', '\n', 'Again: ', '\n']);
    expect(modes).toEqual([true, false, true, false]);
  });

  it('can be given up with Ctrl-C, which restores the terminal', async () => {
    const terminal = new PassThrough();
    const { prompt, modes } = promptOn(terminal, true);
    terminal.write('ge\u0003');
    await expect(prompt.ask('Password: ')).rejects.toThrow('interrupted');
    expect(modes).toEqual([true, false]);
  });
});
