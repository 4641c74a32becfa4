import {
  chmodSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import type * as FileSystem from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import fc from 'fast-check';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import type { LogLevel } from '@edgesync/config';
import { LogFiles } from './log-files.js';
import { Loggers } from './loggers.js';

const disk: { refuses: Error | undefined } = vi.hoisted(() => ({ refuses: undefined }));
vi.mock('node:fs/promises', async (original) => {
  const real = await original<typeof FileSystem>();
  const open: typeof real.open = (...parameters) =>
    disk.refuses ? Promise.reject(disk.refuses) : real.open(...parameters);
  return { ...real, open };
});

const NOW = 1_785_587_696_123.5;
let dir: string;
let reports: string[];

beforeEach(() => {
  dir = mkdtempSync(join(tmpdir(), 'logs-'));
  reports = [];
});
afterEach(() => rmSync(dir, { recursive: true, force: true }));

const open = (maxSize = 1024, rotateCount = 0, now = NOW) =>
  LogFiles.open({
    config: { dir, maxSize, rotateCount },
    now: () => now,
    report: (message) => void reports.push(message),
  });

/** Names of a level's files, oldest first. */
const filesOf = (level: LogLevel) =>
  readdirSync(dir)
    .filter((name) => name.startsWith(`cbl_${level}_`))
    .sort();
const linesOf = (name: string) => readFileSync(join(dir, name), 'utf8').split('\n');
/** The lines between header and closing line of all files of a level. */
const logged = (level: LogLevel) =>
  filesOf(level).flatMap((name) =>
    linesOf(name)
      .slice(1)
      .filter((line) => line !== '' && line !== '---- END ----'),
  );

describe('log files', () => {
  it('are one per level, begin with a header and end with a closing line', async () => {
    const files = await open(5000, 2);
    files.line('warning', 'a warning');
    await files.close();
    expect(readdirSync(dir).sort()).toEqual(
      ['error', 'info', 'verbose', 'warning'].map((level) => `cbl_${level}_1785587696123.cbllog`),
    );
    expect(readFileSync(join(dir, 'cbl_warning_1785587696123.cbllog'), 'utf8')).toBe(
      `---- serialNo=1,logDirectory=${dir},fileLogLevel=3,fileMaxSize=5000,fileMaxCount=3 ----\na warning\n---- END ----\n`,
    );
  });

  it('hold the lines of the console, by level, also when the console is off', async () => {
    const files = await open(5000);
    const console: string[] = [];
    const output = { line: (text: string) => void console.push(text), flush: async () => {}, flushSync: () => {} };
    const config = { console: false, domains: new Map([['DB', 'verbose' as const]]) };
    const loggers = new Loggers({ config, output, files, now: () => NOW, color: true });
    loggers.domain('DB').verbose('detail');
    loggers.domain('Sync').info('not wanted');
    loggers.domain('Sync').error('bad');
    await loggers.close();
    expect(logged('verbose')).toEqual(['2026-08-01T12:34:56.123500Z DB Verbose detail']);
    expect(logged('error')).toEqual(['2026-08-01T12:34:56.123500Z Sync ERROR bad']);
    expect(logged('info')).toEqual([]);
    expect(console).toEqual([]);
  });

  it('lose and split no line when they rotate, stay within their size and are not too many', async () => {
    const line = fc.string({ unit: 'grapheme', maxLength: 300 }).map((text) => text.replace(/[\n\r]/g, '.'));
    await fc.assert(
      fc.asyncProperty(
        fc.array(fc.array(line, { maxLength: 30 }), { maxLength: 6 }),
        fc.integer({ min: 1024, max: 4000 }),
        async (turns, maxSize) => {
          rmSync(dir, { recursive: true });
          dir = mkdtempSync(join(tmpdir(), 'logs-'));
          const files = await open(maxSize, 1000);
          let number = 0;
          const sent = turns.map((lines) => lines.map((text) => `${number++} ${text}`));
          for (const lines of sent) {
            for (const text of lines) files.line('info', text);
            await new Promise((resolve) => setImmediate(resolve));
          }
          await files.close();
          expect(logged('info')).toEqual(sent.flat());
          for (const name of filesOf('info')) {
            expect(linesOf(name)[0]).toMatch(/^---- serialNo=\d+,.* ----$/);
            expect(linesOf(name).slice(-2)).toEqual(['---- END ----', '']);
            expect(statSync(join(dir, name)).size).toBeLessThanOrEqual(maxSize);
          }
        },
      ),
      { numRuns: 40 },
    );
  });

  it('give a line that is longer than a file may be a file to itself', async () => {
    const files = await open(1024, 9);
    const lines = ['before', 'x'.repeat(3000), 'after'];
    for (const text of lines) files.line('error', text);
    await files.close();
    expect(filesOf('error')).toHaveLength(3);
    expect(logged('error')).toEqual(lines);
  });

  it.each([0, 1, 3])('keep rotateCount %i older ones per level', async (rotateCount) => {
    const files = await open(1024, rotateCount);
    for (let index = 0; index < 50; index++) files.line('info', `${index} ${'x'.repeat(400)}`);
    await files.close();
    expect(filesOf('info')).toHaveLength(rotateCount + 1);
    expect(filesOf('error')).toHaveLength(1);
    expect(logged('info').at(-1)).toMatch(/^49 /);
  });

  it('begin again at every start, also twice in a millisecond and when the clock was set back', async () => {
    for (const now of [NOW, NOW, NOW - 5]) {
      const files = await open(1024, 9, now);
      files.line('error', `at ${now}`);
      await files.close();
    }
    expect(logged('error').sort()).toEqual([`at ${NOW - 5}`, `at ${NOW}`, `at ${NOW}`].sort());
    expect(filesOf('error')).toHaveLength(3);
  });

  it('leave other files in the directory alone', async () => {
    const others = ['cbl_info_x.cbllog', 'cbl_info_1.cbllog.gz', 'cbl_infos_1.cbllog', 'audit.log'];
    for (const name of others) writeFileSync(join(dir, name), 'x');
    await (await open()).close();
    expect(readdirSync(dir)).toEqual(expect.arrayContaining(others));
  });

  it('hold what was logged last when the process breaks down, once', async () => {
    const files = await open(5000);
    files.line('error', 'first');
    await files.flush();
    files.line('error', 'under way');
    await new Promise((resolve) => setImmediate(resolve));
    files.line('error', 'last');
    files.flushSync();
    expect(logged('error')).toEqual(['first', 'under way', 'last']);
    await files.close();
  });

  it('go on when the directory is back, and lose nothing meanwhile', async () => {
    const files = await open(1024, 9);
    const away = `${dir}-away`;
    renameSync(dir, away);
    for (let index = 0; index < 5; index++) files.line('info', `${index} ${'x'.repeat(400)}`);
    await files.flush();
    files.line('info', 'meanwhile');
    await files.flush();
    renameSync(away, dir);
    files.line('info', 'again');
    await files.close();
    expect(logged('info').map((line) => line.split(' ')[0])).toEqual(['0', '1', '2', '3', '4', 'meanwhile', 'again']);
    expect(reports).toEqual([
      expect.stringContaining(`the info log in ${dir} cannot be written for now: ENOENT`),
      `the info log in ${dir} is written again`,
    ]);
  });

  it('drop lines only when a megabyte waits, and say how many', async () => {
    const files = await open(1024, 9);
    renameSync(dir, `${dir}-away`);
    files.line('info', 'x'.repeat(2000));
    files.line('info', 'y');
    await files.flush();
    for (let index = 0; index < 3; index++) files.line('info', 'z'.repeat(600_000));
    expect(files.droppedLines()).toBe(2);
    renameSync(`${dir}-away`, dir);
    await files.close();
    expect(logged('info').at(-1)).toBe('(2 lines were dropped here: the disk was full, away or too slow)');
  });

  it('are begun with the first lines that find room when the disk is full at the start', async () => {
    const full = Object.assign(new Error('ENOSPC: no space left on device, open'), { code: 'ENOSPC' });
    disk.refuses = full;
    const files = await open();
    expect(reports).toEqual(
      ['error', 'warning', 'info', 'verbose'].map(
        (level) => `the ${level} log in ${dir} cannot be written for now: ENOSPC: no space left on device, open`,
      ),
    );
    files.line('error', 'from the start');
    await files.flush();
    disk.refuses = undefined;
    await files.close();
    expect(logged('error')).toEqual(['from the start']);
    disk.refuses = Object.assign(new Error('EISDIR'), { code: 'EISDIR' });
    await expect(open()).rejects.toThrow('EISDIR');
    disk.refuses = undefined;
  });

  it.skipIf(process.getuid?.() === 0)('cannot be begun where the server may not write', async () => {
    chmodSync(dir, 0o555);
    await expect(open()).rejects.toThrow('EACCES');
  });
});
