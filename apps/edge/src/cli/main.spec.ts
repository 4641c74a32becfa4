import { execFileSync } from 'node:child_process';
import { X509Certificate } from 'node:crypto';
import { existsSync, mkdtempSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { connect, createServer, type TLSSocket } from 'node:tls';
import { once } from 'node:events';
import type { AddressInfo } from 'node:net';
import { readUsers, type Users } from '@edgesync/config';
import { verifyPassword } from '@edgesync/platform';
import { beforeEach, describe, expect, it } from 'vitest';
import { main } from './main.js';

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'cli-'));
});

/** Runs a command line with the given answers to the questions for passwords. */
async function run(words: string[], passwords: string[] = []) {
  const out: string[] = [];
  const err: string[] = [];
  const calls: unknown[] = [];
  const code = await main(
    words,
    {
      out: (text) => out.push(text),
      err: (text) => err.push(text),
      askPassword: (...questions) => {
        calls.push(questions);
        return Promise.resolve(passwords.shift() ?? '');
      },
      progress: { show: () => undefined, clear: () => undefined },
      ending: () => new AbortController().signal,
    },
    {
      serve: (...given) => {
        calls.push(given);
        return Promise.resolve(7);
      },
      checkConfig: (...given) => {
        calls.push(given.slice(0, -1));
        return Promise.resolve();
      },
      checkReady: (...given) => {
        calls.push(given.slice(0, -1));
        return given[0] === 'down.json5' ? Promise.reject(new Error('it does not answer')) : Promise.resolve();
      },
      resetUuid: (path) =>
        path.includes('locked') ? Promise.reject(new Error('the database is open')) : Promise.resolve('00ff'),
      backup: (path) =>
        path.includes('missing')
          ? Promise.reject(new Error('there is no database'))
          : Promise.resolve({ documents: 1, blobs: 2, bytes: 3_456_789 }),
      info: () =>
        Promise.resolve({
          kind: 'edgesync',
          uuid: '00ff',
          version: 'v1',
          fileBytes: 2_000_000,
          logBytes: 0,
          freeBytes: 500_000,
          blobs: 1,
          blobBytes: 1_000_000,
          collections: [{ name: 'a.b', documents: 2, tombstones: 1, lastSequence: 9 }],
          holder: { pid: 7, host: 'box', since: 'today' },
        }),
      check: (path) => Promise.resolve(path.includes('sound') ? [] : ['blob x is damaged or lost']),
      compact: () => Promise.resolve({ before: 3_000_000, after: 1_000_000 }),
      importBundle: () => Promise.reject(new Error('no import here')),
      exportBundle: () => Promise.reject(new Error('no export here')),
    },
  );
  return { code, out: out.join('\n'), err: err.join('\n'), calls };
}

describe('the program', () => {
  it('shows its usage and fails without arguments', async () => {
    expect(await run([])).toMatchObject({ code: 1, out: '', err: expect.stringContaining('Usage: edgesync') });
  });

  it('shows its usage when asked, naming every option', async () => {
    const { code, out } = await run(['--help']);
    expect(code).toBe(0);
    const options =
      'verbose color version config port check-config check-ready create-cert replace add-user create role access ' +
      'password no-password remove-user list-users reset-uuid backup import dry-run skip-damaged export-cblite2 format ' +
      'collections for-url info json check compact';
    for (const option of options.split(' ')) expect(out).toContain(`--${option}`);
  });

  it('prints its version', async () => {
    expect(await run(['--version'])).toMatchObject({
      code: 0,
      out: expect.stringMatching(/^edgesync \d+\.\d+\.\d+ \(/),
    });
  });

  it('starts the server and ends as it ends', async () => {
    const { code, calls } = await run(['-v', '--config', 'edge.json5']);
    expect(code).toBe(7);
    expect(calls).toEqual([['edge.json5', { verbose: true, color: false }]]);
  });

  it('reports an invalid command line on standard error', async () => {
    expect(await run(['--nonsense'])).toEqual({
      code: 1,
      out: '',
      err: 'edgesync: unknown option --nonsense\nTry edgesync --help.',
      calls: [],
    });
  });

  it('checks a configuration, or a running server', async () => {
    expect(await run(['--check-config', 'edge.json5'])).toMatchObject({ code: 0, calls: [['edge.json5']] });
    expect(await run(['--check-ready', 'edge.json5'])).toMatchObject({ code: 0, calls: [['edge.json5', undefined]] });
    expect(await run(['--check-ready', 'down.json5', '--port', '1'])).toMatchObject({
      code: 1,
      err: 'edgesync: it does not answer',
    });
  });

  it('gives a database a new UUID, or says why not', async () => {
    expect(await run(['--reset-uuid', 'a.cblite2'])).toMatchObject({
      code: 0,
      out: 'The new UUID of a.cblite2 is 00ff',
    });
    expect(await run(['--reset-uuid', 'locked.cblite2'])).toMatchObject({
      code: 1,
      err: 'edgesync: the database is open',
    });
  });

  it('describes a database, for people or as JSON', async () => {
    expect(await run(['--info', 'a.cblite2'])).toMatchObject({
      code: 0,
      out: `a.cblite2: a database of edgesync
  UUID      00ff
  version   v1
  file      2.0 MB, 0.5 MB of it free, and a log of 0.0 MB
  blobs     1, 1.0 MB
  open      in process 7 on box, since today
  a.b: 2 documents, 1 tombstone, last sequence 9`,
    });
    const { out } = await run(['--info', 'a.cblite2', '--json']);
    expect(JSON.parse(out)).toMatchObject({ uuid: '00ff', collections: [{ name: 'a.b', documents: 2 }] });
  });

  it('checks a database and ends with 2 if it is damaged', async () => {
    expect(await run(['--check', 'sound.cblite2'])).toMatchObject({ code: 0, out: 'sound.cblite2 is sound' });
    expect(await run(['--check', 'a.cblite2'])).toMatchObject({
      code: 2,
      out: 'a.cblite2 is damaged; restore it from a backup:\n  blob x is damaged or lost',
    });
  });

  it('compacts a database', async () => {
    expect(await run(['--compact', 'a.cblite2'])).toMatchObject({
      code: 0,
      out: 'a.cblite2: 2000000 bytes saved, 3.0 MB before, 1.0 MB after',
    });
  });

  it('backs a database up and reports what it copied, or says why not', async () => {
    expect(await run(['--backup', 'a.cblite2', 'b.cblite2'])).toMatchObject({
      code: 0,
      out: 'b.cblite2: 1 document and 2 blobs, 3.5 MB',
    });
    expect(await run(['--backup', 'missing.cblite2', 'b.cblite2'])).toMatchObject({
      code: 1,
      err: 'edgesync: there is no database',
    });
    expect(await run(['--backup', 'a.cblite2'])).toMatchObject({
      code: 1,
      err: expect.stringContaining('--backup needs <database> <target>'),
    });
  });
});

const file = () => join(folder, 'users.json');
const users = (): Users => {
  const result = readUsers(readFileSync(file(), 'utf8'), 'users.json');
  if (!result.ok) throw new Error('the users file is invalid');
  return result.value;
};
const hashOf = (name: string) => users().get(name)!.passwordHash!;
const HASH = '$2y$05$abcdefghijklmnopqrstuuVWu8RjbNovPZWAMRdd7iqaaG0mI53Uu';
const written = () => JSON.parse(readFileSync(file(), 'utf8')) as Record<string, object>;
const write = (content: string | object) =>
  writeFileSync(file(), typeof content === 'string' ? content : JSON.stringify(content));
/** A configuration that names the users file. */
function configured(accessControl: boolean): string {
  const path = join(folder, 'edge.json5');
  writeFileSync(path, JSON.stringify({ databases: {}, users: file(), enable_user_access_control: accessControl }));
  return path;
}

describe('--add-user', () => {
  it('makes a file, asking twice for the password; only its owner may read it', async () => {
    const { code, calls } = await run(['--add-user', file(), 'alice', '--create', '--role', 'admin'], ['geheim']);
    expect(code).toBe(0);
    expect(calls).toEqual([['Password for alice: ', 'The same again: ']]);
    expect(statSync(file()).mode & 0o777).toBe(0o600);
    expect(users().get('alice')!.roles).toEqual(new Set(['admin']));
    expect(await verifyPassword('geheim', hashOf('alice'))).toBe(true);
  });

  it('keeps the other users and what else the file holds', async () => {
    const others = { $schema: 'users.schema.json', bob: { password: HASH, roles: ['replicate'] } };
    write(others);
    expect((await run(['--add-user', file(), 'alice'], ['pw'])).code).toBe(0);
    expect(written()).toEqual({ ...others, alice: { password: expect.stringMatching(/^\$2b\$10\$/) } });
  });

  it('changes of an existing user only what is named', async () => {
    const bob = { password: HASH, roles: ['admin'], access: { 'a.*': ['read'] } };
    const change = async (words: string[], passwords: string[] = []) => {
      write({ bob });
      const { code, calls } = await run(['--add-user', file(), 'bob', ...words], passwords);
      return [code, calls.length, written()['bob']];
    };
    const password = expect.not.stringMatching(HASH);
    expect(await change([], ['new'])).toEqual([0, 1, { ...bob, password }]);
    expect(await change(['--role', 'replicate'])).toEqual([0, 0, { ...bob, roles: ['replicate'] }]);
    expect(await change(['--role', 'none'])).toEqual([0, 0, { password: HASH, access: bob.access }]);
    expect(await change(['--access', 'b.c=read, write'])).toEqual([
      0,
      0,
      { ...bob, access: { 'a.*': ['read'], 'b.c': ['read', 'write'] } },
    ]);
    expect(await change(['--access', 'a.*=none', '--access', 'b=write'])).toEqual([
      0,
      0,
      { ...bob, access: { b: ['write'] } },
    ]);
    expect(await change(['--access', 'none'])).toEqual([0, 0, { ...bob, access: {} }]);
    expect(await change(['--access', 'all'])).toEqual([0, 0, { password: HASH, roles: ['admin'] }]);
    expect(await change(['--no-password'])).toEqual([0, 0, { roles: ['admin'], access: bob.access }]);
    expect(await change(['--role', 'admin', '--password', 'new'])).toEqual([0, 0, { ...bob, password }]);
  });

  it.each([
    ['the configuration', (words: string[]) => ['--config', configured(true), ...words], '{}'],
    ['rules of other users', (words: string[]) => [file(), ...words], '{"bob": {"access": {}}}'],
  ])('gives a new user no rights where %s turn access control on', async (_, withFile, present) => {
    write(present);
    const { code, out } = await run(['--add-user', ...withFile(['alice', '--password', 'pw'])]);
    expect([code, users().get('alice')!.access]).toEqual([0, []]);
    expect(out).toContain('alice has no rights on any data yet. Give some with --access KEYSPACE=read,write');
    await run(['--add-user', ...withFile(['carl', '--password', 'pw', '--access', 'a.*=read'])]);
    expect(written()['carl']).toMatchObject({ access: { 'a.*': ['read'] } });
    await run(['--add-user', ...withFile(['root', '--password', 'pw', '--role', 'admin'])]);
    expect(written()['root']).not.toHaveProperty('access');
  });

  it('says what a user without rules may do', async () => {
    write('{}');
    const unknown = await run(['--add-user', file(), 'alice', '--password', 'pw']);
    expect(unknown.out).toContain('alice has no access rules and may read and write everything, also where access');
    const off = await run(['--add-user', '--config', configured(false), 'bob', '--password', 'pw']);
    expect(off.out).toContain('bob may read and write everything: access control is off.');
    expect(written()['bob']).not.toHaveProperty('access');
  });

  it('refuses what the server would refuse while access control is off', async () => {
    write('{}');
    const config = configured(false);
    for (const [words, message] of [
      [['--access', 'a.*=read'], 'access control is off in'],
      [['--no-password'], 'every user needs a password then'],
    ] as const) {
      const { code, err } = await run(['--add-user', '--config', config, 'alice', ...words], ['pw']);
      expect([code, err]).toEqual([1, expect.stringContaining(message)]);
    }
    expect(written()).toEqual({});
  });

  it('warns of a password on the command line', async () => {
    write('{}');
    expect((await run(['--add-user', file(), 'alice', '--password', 'pw'])).err).toMatch(
      /^Other users of this machine/,
    );
  });

  it.each([
    ['{} // nobody', 'comments were not kept'],
    ['\ufeff{}', ''],
    ["{bob: {access: {'a.*': ['read'],}}}", ''],
  ])('of a file with %j says %j', async (text, expected) => {
    write(text);
    expect((await run(['--add-user', file(), 'alice'], ['pw'])).err).toBe(
      expected === '' ? '' : `${file()}: ${expected}.`,
    );
  });

  it('refuses without touching the file', async () => {
    const cases: [string | undefined, string[], string[], string][] = [
      [undefined, ['alice'], ['a'], 'does not exist. Add --create to make it.'],
      ['{}', ['alice'], [''], 'the password is empty'],
      ['{}', ['alice', '--access', 'a.*=reed'], ['a'], 'the rights are read and write, not "reed"'],
      ['{}', ['alice', '--access', 'a.b.c.d=read'], ['a'], 'alice.access["a.b.c.d"]: is not a valid name'],
      ['{}', ['alice', '--access', 'a'], ['a'], '--access is KEYSPACE=read,write, KEYSPACE=none, none or all'],
      ['{bob: {}, bob: {}}', ['alice'], ['a'], 'bob: is there twice'],
      ['{}', ['alice', '--password', 'x'.repeat(73)], [], 'longer than the 72 bytes'],
      ['{}', ['a:b', '--password', 'x'], [], 'is not a valid name'],
      ['{bob: ', ['alice', '--password', 'x'], [], 'is not valid JSON5'],
      ['{bob: {rolls: []}}', ['alice', '--password', 'x'], [], 'bob.rolls: is not a known key. Did you mean "roles"?'],
      ['[]', ['alice', '--password', 'x'], [], 'is a list. It must be an object'],
    ];
    for (const [content, words, passwords, message] of cases) {
      if (content !== undefined) writeFileSync(file(), content);
      const { code, err } = await run(['--add-user', file(), ...words], passwords);
      expect([code, err]).toEqual([1, expect.stringContaining(message)]);
      if (content !== undefined) expect(readFileSync(file(), 'utf8')).toBe(content);
    }
  });
});

describe('--remove-user and --list-users', () => {
  beforeEach(() =>
    write({
      alice: { password: HASH, roles: ['admin'] },
      line1: { password: HASH, access: { 'plant.line1.*': ['read', 'write'], plant: [] } },
      sensor7: { access: { 'plant.readings': ['write'] } },
      nobody: { password: HASH, access: {} },
    }),
  );

  it('list the users with their roles and rights', async () => {
    expect((await run(['--list-users', file()])).out.split('\n')).toEqual([
      'alice    role admin; no access rules',
      'line1    plant.line1.*=read,write plant=none',
      'sensor7  no password (client certificate only); plant.readings=write',
      'nobody   no rights',
    ]);
    expect((await run(['--list-users', join(folder, 'none.json')])).err).toContain('does not exist');
  });

  it('remove one user and keep the others', async () => {
    expect((await run(['--remove-user', file(), 'line1'])).code).toBe(0);
    expect(Object.keys(written())).toEqual(['alice', 'sensor7', 'nobody']);
    expect(await run(['--remove-user', file(), 'sensor'])).toMatchObject({
      code: 1,
      err: expect.stringContaining('has no user sensor; did you mean sensor7?'),
    });
    write('{$schema: "x"}');
    expect((await run(['--remove-user', file(), '$schema'])).code).toBe(1);
  });
});

describe('--create-cert', () => {
  it('makes a certificate that TLS and openssl accept', async () => {
    const [certFile, keyFile] = [join(folder, 'cert.pem'), join(folder, 'key.pem')];
    const subject = 'CN=edge,O=Plänt,C=de,DNS=localhost,IP=127.0.0.1';
    expect((await run(['--create-cert', subject, certFile, keyFile])).code).toBe(0);
    expect(statSync(keyFile).mode & 0o777).toBe(0o600);

    const [cert, key] = [readFileSync(certFile), readFileSync(keyFile)];
    const certificate = new X509Certificate(cert);
    expect(certificate.subject.split('\n')).toEqual(['CN=edge', 'O=Plänt', 'C=DE']);
    expect(certificate.subjectAltName).toBe('DNS:localhost, IP Address:127.0.0.1');
    expect(certificate.publicKey.asymmetricKeyDetails?.modulusLength).toBe(4096);
    expect(certificate.verify(certificate.publicKey)).toBe(true);
    const days = (certificate.validToDate.getTime() - certificate.validFromDate.getTime()) / 86_400_000;
    expect([365, 366]).toContain(days);

    const server = createServer({ cert, key }, (socket: TLSSocket) => socket.end('hello'));
    server.listen(0, '127.0.0.1');
    await once(server, 'listening');
    const client = connect({
      port: (server.address() as AddressInfo).port,
      host: '127.0.0.1',
      servername: 'localhost',
      ca: cert,
    });
    const [greeting] = (await once(client, 'data')) as [Buffer];
    expect([greeting.toString(), client.authorized]).toEqual(['hello', true]);
    client.destroy();
    server.close();

    expect(
      execFileSync('openssl', ['verify', '-x509_strict', '-CAfile', certFile, certFile], { encoding: 'utf8' }),
    ).toContain('OK');
  });

  it('refuses a bad subject before it makes anything', async () => {
    expect(await run(['--create-cert', 'O=Plant', join(folder, 'c'), join(folder, 'k')])).toMatchObject({
      code: 1,
      err: expect.stringContaining('the subject has no CN'),
    });
  });

  it('replaces no file unless asked to', async () => {
    const [certFile, keyFile] = [join(folder, 'cert.pem'), join(folder, 'key.pem')];
    writeFileSync(keyFile, 'old', { mode: 0o644 });
    expect(await run(['--create-cert', 'edge.local', certFile, keyFile])).toMatchObject({
      code: 1,
      err: `edgesync: ${keyFile} exists already, and a replaced key is lost. Add --replace to replace it.`,
    });
    expect([existsSync(certFile), readFileSync(keyFile, 'utf8')]).toEqual([false, 'old']);
    expect(await run(['--create-cert', 'edge.local', keyFile, keyFile, '--replace'])).toMatchObject({
      code: 1,
      err: expect.stringContaining('certificate and key need files of their own'),
    });
    expect((await run(['--create-cert', '[::1]', certFile, keyFile, '--replace'])).code).toBe(0);
    expect(statSync(keyFile).mode & 0o777).toBe(0o600);
    const { subjectAltName, subject } = new X509Certificate(readFileSync(certFile));
    expect([subject, subjectAltName]).toEqual(['CN=::1', 'IP Address:0:0:0:0:0:0:0:1']);
  });

  it('makes a certificate that a client verifies for a name in another script', async () => {
    const [certFile, keyFile] = [join(folder, 'cert.pem'), join(folder, 'key.pem')];
    await run(['--create-cert', 'bücher.example', certFile, keyFile]);
    const certificate = new X509Certificate(readFileSync(certFile));
    // What a URL with the name in any script has as its host.
    expect(certificate.checkHost(new URL('https://bücher.example').hostname)).toBe('xn--bcher-kva.example');
  });
});
