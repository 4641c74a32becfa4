import { mkdtempSync, readFileSync, readdirSync, readlinkSync, statSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { beforeEach, describe, expect, it } from 'vitest';
import { writeFileAtomically } from './write-file.js';

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'write-'));
});

describe('writing a file', () => {
  it('replaces content and permissions and leaves nothing else behind', () => {
    const file = join(folder, 'secret');
    writeFileSync(file, 'old', { mode: 0o644 });
    writeFileAtomically(file, 'new', 0o600);
    expect(readFileSync(file, 'utf8')).toBe('new');
    expect(statSync(file).mode & 0o777).toBe(0o600);
    expect(readdirSync(folder)).toEqual(['secret']);
  });

  it('follows a symbolic link', () => {
    const [file, link] = [join(folder, 'file'), join(folder, 'link')];
    writeFileSync(file, 'old');
    symlinkSync('file', link);
    writeFileAtomically(link, 'new', 0o600);
    expect(readlinkSync(link)).toBe('file');
    expect(readFileSync(file, 'utf8')).toBe('new');
  });

  it('says in the words of the caller why it cannot be written', () => {
    const path = join(folder, 'nowhere', 'file');
    expect(() => writeFileAtomically(path, 'new', 0o600)).toThrow(
      `${path} cannot be written: its directory does not exist`,
    );
  });

  it('leaves nothing behind when it fails', () => {
    expect(() => writeFileAtomically(folder, 'new', 0o600)).toThrow();
    expect(readdirSync(join(folder, '..')).filter((name) => name.startsWith(`${folder.split('/').at(-1)}.`))).toEqual(
      [],
    );
  });
});
