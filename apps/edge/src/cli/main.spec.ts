import { execFileSync } from 'node:child_process';
import { X509Certificate } from 'node:crypto';
import { mkdtempSync, readFileSync, statSync, writeFileSync } from 'node:fs';
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
      askPassword: (question) => {
        calls.push(question);
        return Promise.resolve(passwords.shift() ?? '');
      },
    },
    {
      serve: (...given) => {
        calls.push(given);
        return Promise.resolve(7);
      },
      resetUuid: (path) =>
        path.includes('locked') ? Promise.reject(new Error('the database is open')) : Promise.resolve('00ff'),
      backup: (path) =>
        path.includes('missing')
          ? Promise.reject(new Error('there is no database'))
          : Promise.resolve({ documents: 1, blobs: 2, bytes: 3_456_789 }),
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
    const options = [
      '--verbose',
      '--color',
      '--version',
      '--config',
      '--create-cert',
      '--add-user',
      '--create',
      '--role',
    ];
    for (const option of [...options, '--password', '--reset-uuid', '--backup']) expect(out).toContain(option);
  });

  it('tells its version', async () => {
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

  it('tells what is wrong with a command line, on standard error', async () => {
    expect(await run(['--nonsense'])).toEqual({
      code: 1,
      out: '',
      err: 'edgesync: unknown option --nonsense\nTry edgesync --help.',
      calls: [],
    });
  });

  it('gives a database a new UUID, or tells why not', async () => {
    expect(await run(['--reset-uuid', 'a.cblite2'])).toMatchObject({
      code: 0,
      out: 'The new UUID of a.cblite2 is 00ff',
    });
    expect(await run(['--reset-uuid', 'locked.cblite2'])).toMatchObject({
      code: 1,
      err: 'edgesync: the database is open',
    });
  });

  it('backs a database up and tells what it copied, or tells why not', async () => {
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

describe('--add-user', () => {
  const file = () => join(folder, 'users.json');
  const users = (): Users => {
    const result = readUsers(readFileSync(file(), 'utf8'), 'users.json');
    if (!result.ok) throw new Error('the users file is invalid');
    return result.value;
  };
  const hashOf = (name: string) => users().get(name)!.passwordHash!;

  it('makes a file, asking twice for the password; only its owner may read it', async () => {
    const { code, calls } = await run(
      ['--add-user', file(), 'alice', '--create', '--role', 'admin'],
      ['geheim', 'geheim'],
    );
    expect(code).toBe(0);
    expect(calls).toEqual(['Password for alice: ', 'The same again: ']);
    expect(statSync(file()).mode & 0o777).toBe(0o600);
    expect(users().get('alice')!.roles).toEqual(new Set(['admin']));
    expect(await verifyPassword('geheim', hashOf('alice'))).toBe(true);
  });

  it('keeps the other users and what else the file holds', async () => {
    const hash = '$2y$05$abcdefghijklmnopqrstuuVWu8RjbNovPZWAMRdd7iqaaG0mI53Uu';
    const others = {
      $schema: 'users.schema.json',
      bob: { password: hash, roles: ['replicate'], access: { 'a.*': ['read'] } },
    };
    writeFileSync(file(), JSON.stringify(others));
    expect((await run(['--add-user', file(), 'alice', '--password', 'pw'])).code).toBe(0);
    expect(JSON.parse(readFileSync(file(), 'utf8'))).toEqual({
      ...others,
      alice: { password: expect.stringMatching(/^\$2b\$10\$/) },
    });
  });

  it('replaces password and roles of a user, but not the access rules', async () => {
    await run(['--add-user', file(), 'bob', '--create', '--password', 'old', '--role', 'admin']);
    const text = readFileSync(file(), 'utf8').replace('"roles"', '"access": {"a.*": ["read"]}, /* rules */ "roles"');
    writeFileSync(file(), text);
    const { code, err } = await run(['--add-user', file(), 'bob', '--password', 'new']);
    expect([code, err]).toEqual([0, `${file()}: comments were not kept.`]);
    expect(await verifyPassword('new', hashOf('bob'))).toBe(true);
    expect(users().get('bob')!.roles).toEqual(new Set());
    expect(users().get('bob')!.access).toHaveLength(1);
  });

  it('refuses without touching the file', async () => {
    const cases: [string | undefined, string[], string[], string][] = [
      [undefined, ['alice'], ['a', 'a'], 'does not exist. Add --create to make it.'],
      ['{}', ['alice'], ['a', 'b'], 'the two passwords differ'],
      ['{}', ['alice'], ['', ''], 'the password is empty'],
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

describe('--create-cert', () => {
  it('makes a certificate that TLS and openssl accept', async () => {
    const [certFile, keyFile] = [join(folder, 'cert.pem'), join(folder, 'key.pem')];
    writeFileSync(keyFile, 'old', { mode: 0o644 });
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
});
