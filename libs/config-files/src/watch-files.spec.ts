import { mkdirSync, mkdtempSync, renameSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { watchFiles, type FileWatch, type WatchOptions } from './watch-files.js';

let directory: string;
let watched: FileWatch | undefined;
let changes = 0;
let wake: () => void = () => {};

beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), 'watch-'));
  changes = 0;
});

afterEach(() => {
  watched?.stop();
  rmSync(directory, { recursive: true, force: true });
});

const inDirectory = (...names: string[]): string => join(directory, ...names);

async function start(paths: string[], options: WatchOptions = {}): Promise<void> {
  const onChange = (): void => {
    changes++;
    wake();
  };
  watched = watchFiles(paths, onChange, { settleMs: 5, pollMs: 0, ...options });
  await watched.ready;
}

/** Makes a change and waits until it is reported. */
async function reported(change: () => void): Promise<void> {
  const woken = new Promise<void>((resolve) => (wake = resolve));
  change();
  await woken;
}

/** Replaces a file by a rename, as editors do. */
function replace(file: string, text: string): void {
  writeFileSync(`${file}.new`, text);
  renameSync(`${file}.new`, file);
}

describe('a watched file', () => {
  it('reports when it is rewritten', async () => {
    const file = inDirectory('a');
    writeFileSync(file, 'first');
    await start([file]);
    await reported(() => writeFileSync(file, 'second text'));
    await reported(() => writeFileSync(file, 'and the third'));
  });

  it('reports when it is replaced by a rename, every time', async () => {
    const file = inDirectory('a');
    await start([inDirectory('other'), file]);
    for (let round = 0; round < 3; round++) await reported(() => replace(file, `round ${round}`));
  });

  it('reports when the symbolic link above it is swapped, as Kubernetes does with secrets', async () => {
    const swap = (version: string): void => {
      mkdirSync(inDirectory(version));
      writeFileSync(inDirectory(version, 'users.json'), version);
      symlinkSync(version, inDirectory('..new'));
      renameSync(inDirectory('..new'), inDirectory('..data'));
    };
    swap('..first');
    symlinkSync('..data/users.json', inDirectory('users.json'));
    await start([inDirectory('users.json')]);
    for (const version of ['..second', '..third']) await reported(() => swap(version));
  });

  it('reports when the file that a link in another directory leads to is replaced', async () => {
    mkdirSync(inDirectory('elsewhere'));
    const target = inDirectory('elsewhere', 'file');
    writeFileSync(target, '');
    symlinkSync(target, inDirectory('link'));
    await start([inDirectory('link')]);
    await reported(() => replace(target, 'new'));
  });

  it('reports when it is removed, and when it is there again', async () => {
    const file = inDirectory('a');
    writeFileSync(file, 'first');
    await start([file]);
    await reported(() => rmSync(file));
    await reported(() => writeFileSync(file, 'back'));
  });

  it('reports when its directory was made again', async () => {
    const file = inDirectory('made', 'a');
    mkdirSync(inDirectory('made'));
    writeFileSync(file, 'first');
    await start([file], { pollMs: 5 });
    await reported(() => rmSync(inDirectory('made'), { recursive: true }));
    await reported(() => {
      mkdirSync(inDirectory('made'));
      writeFileSync(file, 'again');
    });
  });

  it('is looked at now and then where no directory can be watched', async () => {
    await start([inDirectory('later', 'a')], { pollMs: 5 });
    await reported(() => {
      mkdirSync(inDirectory('later'));
      writeFileSync(inDirectory('later', 'a'), 'here');
    });
  });

  it('reports changes close to each other once, and not of other files', async () => {
    const file = inDirectory('a');
    await start([file]);
    await reported(() => {
      for (let index = 0; index < 50; index++) {
        writeFileSync(file, 'x'.repeat(index));
        writeFileSync(inDirectory(`b${index}`), '');
      }
    });
    expect(changes).toBe(1);
  });

  it('is watched from the first moment', async () => {
    const file = inDirectory('a');
    writeFileSync(file, 'first');
    await reported(() => {
      void start([file]);
      writeFileSync(file, 'second text');
    });
  });

  it('reports nothing after the watch has ended', async () => {
    const [ended, other] = [inDirectory('a'), inDirectory('b')];
    let wrong = 0;
    const first = watchFiles([ended], () => wrong++, { settleMs: 1, pollMs: 1 });
    await first.ready;
    first.stop();
    await start([other]);
    await reported(() => {
      writeFileSync(ended, 'changed');
      writeFileSync(other, 'changed too');
    });
    expect(wrong).toBe(0);
  });
});
