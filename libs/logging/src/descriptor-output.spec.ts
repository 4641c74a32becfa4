import { mkdtempSync, openSync, readFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { DescriptorOutput } from './descriptor-output.js';

type Done = (error: NodeJS.ErrnoException | null, written: number) => void;

/** Writes that end on request. */
function scripted() {
  const writes: { text: string; done: Done }[] = [];
  const output = new DescriptorOutput(-1, (_, data, done) => void writes.push({ text: data.toString(), done }));
  const turn = () => new Promise((resolve) => setImmediate(resolve));
  return { writes, output, turn };
}

describe('log output', () => {
  it('writes lines to the descriptor in order', async () => {
    const file = join(mkdtempSync(join(tmpdir(), 'log-')), 'log');
    const output = new DescriptorOutput(openSync(file, 'w'));
    for (let index = 0; index < 3; index++) output.line(`line ${index}`);
    await output.flush();
    output.line('last');
    output.flushSync();
    expect(readFileSync(file, 'utf8')).toBe('line 0\nline 1\nline 2\nlast\n');
  });

  it('puts the lines of one turn, and those that came during a write, into one write each', async () => {
    const { writes, output, turn } = scripted();
    output.line('a');
    output.line('b');
    await turn();
    output.line('c');
    output.line('d');
    expect(writes.map(({ text }) => text)).toEqual(['a\nb\n']);
    writes[0]!.done(null, 4);
    await turn();
    expect(writes.map(({ text }) => text)).toEqual(['a\nb\n', 'c\nd\n']);
  });

  it('goes on after a partial write and after a full pipe, and gives up on a closed one', async () => {
    const { writes, output, turn } = scripted();
    output.line('abc');
    await turn();
    writes[0]!.done(null, 1);
    await turn();
    expect(writes[1]!.text).toBe('bc\n');
    writes[1]!.done(Object.assign(new Error(), { code: 'EAGAIN' }), 0);
    while (writes.length < 3) await turn();
    expect(writes[2]!.text).toBe('bc\n');
    writes[2]!.done(Object.assign(new Error(), { code: 'EPIPE' }), 0);
    await output.flush();
    expect(writes).toHaveLength(3);
  });

  it('drops lines when too much waits, and says how many', async () => {
    const { writes, output, turn } = scripted();
    output.line('first');
    await turn();
    const long = 'x'.repeat(600_000);
    for (let index = 0; index < 4; index++) output.line(long);
    writes[0]!.done(null, 6);
    await turn();
    expect(writes[1]!.text).toBe(`${long}\n(3 lines were dropped here: the log is read too slowly)\n`);
  });
});
