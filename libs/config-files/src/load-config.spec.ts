import { chmodSync, mkdtempSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, relative, resolve } from 'node:path';
import { beforeEach, describe, expect, it } from 'vitest';
import { loadConfig, loadUsers } from './load-config.js';

const HASH = '$2y$05$abcdefghijklmnopqrstuuVWu8RjbNovPZWAMRdd7iqaaG0mI53Uu';
let folder: string;
const write = (name: string, content: string | Uint8Array) => {
  writeFileSync(join(folder, name), content);
  return join(folder, name);
};

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'config-'));
});

describe('loading files', () => {
  it('resolves relative paths against the working directory', () => {
    const file = write('edge.json5', "{databases: {a: {path: 'x/a.cblite2'}}, users: './users.json'}");
    const { value } = loadConfig(relative(process.cwd(), file));
    expect(value.databases.get('a')!.path).toBe(resolve('x/a.cblite2'));
    expect(value.usersFile).toBe(resolve('users.json'));
  });

  it('loads the users that the configuration names', () => {
    const users = write('users.json', `{alice: {password: '${HASH}'}}`);
    const file = write('edge.json5', `{databases: {}, users: '${users}'}`);
    expect([...loadUsers(loadConfig(file).value).value.keys()]).toEqual(['alice']);
  });

  it('knows no users without a users file', () => {
    const config = loadConfig(write('edge.json5', '{databases: {}, enable_anonymous_users: true}')).value;
    expect(loadUsers(config).value.size).toBe(0);
  });

  it('tells all issues in one message, a line each', () => {
    const file = write('edge.json5', "{databases: {a: {path: 'a', create: 1}}}");
    expect(() => loadConfig(file)).toThrow(
      `2 errors:\n  ${file}: databases.a.path: is "a". It must be a path that ends in ".cblite2".` +
        `\n  ${file}: databases.a.create: is a number. It must be true or false.`,
    );
  });

  it('tells a single fault in one line', () => {
    const file = write('edge.json5', '{}');
    expect(() => loadConfig(file)).toThrow(new RegExp(`^${file}: databases: is missing\\. Add it: .*$`));
  });

  it('refuses a file that is not there, not a file or not text', () => {
    expect(() => loadConfig(join(folder, 'none.json5'))).toThrow('none.json5: does not exist. Check the path');
    expect(() => loadConfig(folder)).toThrow('is a directory');
    expect(() => loadConfig(write('bytes', Uint8Array.of(0x7b, 0xff, 0x7d)))).toThrow('is not UTF-8 text');
  });

  it.skipIf(process.getuid?.() === 0)('refuses a file that may not be read', () => {
    const file = write('edge.json5', '{}');
    chmodSync(file, 0);
    expect(() => loadConfig(file)).toThrow('may not be read by this user');
  });

  it('refuses users that do not go with the configuration', () => {
    const users = write('users.json', `{alice: {password: '${HASH}', access: {}}}`);
    const config = loadConfig(write('edge.json5', `{databases: {}, users: '${users}'}`)).value;
    expect(() => loadUsers(config)).toThrow("requires setting 'enable_user_access_control: true'");
  });
});
