import { chmodSync, mkdirSync, mkdtempSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, relative, resolve } from 'node:path';
import { beforeEach, describe, expect, it } from 'vitest';
import { ConfigError } from './config-error.js';
import { loadSettings, loadUsers, type MachineChecks } from './load-settings.js';

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
    const { config } = loadSettings(relative(process.cwd(), file));
    expect(config.databases.get('a')!.path).toBe(resolve('x/a.cblite2'));
    expect(config.usersFile).toBe(resolve('users.json'));
  });

  it('loads the users that the configuration names', () => {
    const users = write('users.json', `{alice: {password: '${HASH}'}}`);
    const file = write('edge.json5', `{databases: {}, users: '${users}'}`);
    expect([...loadSettings(file, { users: true }).users.keys()]).toEqual(['alice']);
    expect([...loadUsers(loadSettings(file).config).users.keys()]).toEqual(['alice']);
  });

  it('knows no users without a users file', () => {
    const file = write('edge.json5', '{databases: {}, enable_anonymous_users: true}');
    const { config, users } = loadSettings(file, { users: true });
    expect([users.size, loadUsers(config).users.size]).toEqual([0, 0]);
  });

  it('names all issues in one message, a line each', () => {
    const file = write('edge.json5', "{databases: {a: {path: 'a', create: 1}}}");
    expect(() => loadSettings(file)).toThrow(
      `2 errors:\n  ${file}: databases.a.path: is "a". It must be a path that ends in ".cblite2".` +
        `\n  ${file}: databases.a.create: is a number. It must be true or false.`,
    );
  });

  it('names a single error in one line', () => {
    const file = write('edge.json5', '{}');
    expect(() => loadSettings(file)).toThrow(new RegExp(`^${file}: databases: is missing\\. Add it: .*$`));
  });

  it('refuses a file that is not there, not a file or not text', () => {
    expect(() => loadSettings(join(folder, 'none.json5'))).toThrow('none.json5: does not exist. Check the path');
    expect(() => loadSettings(folder)).toThrow('is a directory');
    expect(() => loadSettings(write('bytes', Uint8Array.of(0x7b, 0xff, 0x7d)))).toThrow('is not UTF-8 text');
  });

  it.skipIf(process.getuid?.() === 0)('refuses a file that may not be read', () => {
    const file = write('edge.json5', '{}');
    chmodSync(file, 0);
    expect(() => loadSettings(file)).toThrow('may not be read by this user');
  });

  it('refuses users that do not go with the configuration', () => {
    const users = write('users.json', `{alice: {password: '${HASH}', access: {}}}`);
    const file = write('edge.json5', `{databases: {}, users: '${users}'}`);
    const message = "requires setting 'enable_user_access_control: true'";
    expect(() => loadSettings(file, { users: true })).toThrow(message);
    expect(() => loadUsers(loadSettings(file).config)).toThrow(message);
  });
});

describe('what the configuration names on the machine', () => {
  /** The lines of the error, without the configuration file's name. */
  const errors = (file: string, checks: MachineChecks) => {
    try {
      loadSettings(file, checks);
      return [];
    } catch (error) {
      if (!(error instanceof ConfigError)) throw error;
      return error.issues.map(({ path, problem }) => `${path} ${problem}`);
    }
  };
  const all: MachineChecks = {
    users: true,
    inspectDatabase: () => {},
    inspectHttps: (paths, file) => ({
      issues: Object.keys(paths).map((key) => ({ file, path: key, problem: 'is bad', fix: 'Replace it.' })),
    }),
  };

  it('is checked all at once, beside the errors of the configuration itself', () => {
    const file = write(
      'edge.json5',
      `{
        databases: { a: { path: '${folder}/a.cblite2' }, b: { path: '${folder}/none/b.cblite2', create: true } },
        logging: { file: { dir: '${folder}/logs' }, audit: { file: '${folder}/audit/audit.log' } },
        users: '${folder}/users.json',
        https: { tls_cert_path: 'c.pem', tls_key_path: 'k.pem' },
        enable_anonymus_users: true,
      }`,
    );
    expect(errors(file, all)).toEqual([
      'enable_anonymus_users is not a known key',
      `databases.a.path names no database: there is none at ${folder}/a.cblite2`,
      `users names ${folder}/users.json, which does not exist`,
      'tls_cert_path is bad',
      'tls_key_path is bad',
      `logging.file.dir names a directory that does not exist: ${folder}/logs`,
      `logging.audit.file names a directory that does not exist: ${folder}/audit`,
    ]);
  });

  it('is left alone by a process that does not need it', () => {
    const file = write(
      'edge.json5',
      `{
        databases: { a: { path: '${folder}/a.cblite2' } },
        users: '${folder}/users.json',
        https: { tls_cert_path: 'c.pem', tls_key_path: 'k.pem' },
      }`,
    );
    expect(errors(file, {})).toEqual([]);
  });

  it('has the errors of the users file in its own words, at their keys', () => {
    const users = write('users.json', '{alice: {rols: []}, bob: {access: {x: []}}, bob: {}}');
    const file = write('edge.json5', `{databases: {}, users: '${users}', nonsense: 1}`);
    expect(errors(file, all)).toEqual([
      'nonsense is not a known key',
      'bob is there twice, at line 1, column 21 and at line 1, column 45',
      'alice.rols is not a known key',
    ]);
  });

  it('is a database that can be opened or created', () => {
    const plain = write('plain', '');
    mkdirSync(join(folder, 'there.cblite2'));
    const problem = (path: string, create: boolean, inspectDatabase: (path: string) => void = () => {}) => {
      const file = write(
        'edge.json5',
        JSON.stringify({ databases: { a: { path, create } }, enable_anonymous_users: true }),
      );
      return errors(file, { inspectDatabase })[0]?.replace('databases.a.path ', '');
    };
    expect(problem(`${folder}/there.cblite2`, false)).toBeUndefined();
    expect(problem(`${folder}/new/deep/a.cblite2`, true)).toBeUndefined();
    expect(problem(`${folder}/new.cblite2`, false)).toMatch(/^names no database/);
    expect(problem(`${plain}/a.cblite2`, true)).toMatch(/a part of its path is a file/);
    write('file.cblite2', '');
    expect(problem(`${folder}/file.cblite2`, true)).toMatch(/^names a file, not a database directory/);
    const foreign = (): never => {
      throw new Error('it holds something else');
    };
    expect(problem(`${folder}/there.cblite2`, true, foreign)).toBe('cannot be used: it holds something else');
  });
});
