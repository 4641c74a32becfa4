import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { verifyPassword } from '@edgesync/auth';
import { freePort, TestCertificate } from '@edgesync/test-kit';
import { describe, expect, it } from 'vitest';
import { EdgeSandbox } from './testing/edge-process.js';

/** Runs the program to its end. */
async function run(sandbox: EdgeSandbox, words: readonly string[], input = '') {
  await using process = sandbox.spawn(...words);
  process.child.stdin!.end(input);
  return { code: await process.exitCode(), out: process.stdout, err: process.stderr };
}

describe('--check-config', () => {
  it('accepts what a start would accept, with its warnings, and creates nothing', async () => {
    using sandbox = await EdgeSandbox.create({}, { cors: { origin: [] } });
    expect(await run(sandbox, ['--check-config', sandbox.configFile])).toEqual({
      code: 0,
      out: `${sandbox.configFile} is valid: 1 database; 1 warning.\n`,
      err: expect.stringMatching(/^warning: .*cors\.origin: is empty/),
    });
    expect(existsSync(sandbox.bundle)).toBe(false);
  });

  it('reports what a start would report, and looks into existing directories', async () => {
    using sandbox = await EdgeSandbox.create({}, { users: 'nobody.json' });
    mkdirSync(sandbox.bundle);
    writeFileSync(join(sandbox.bundle, 'foreign'), '');
    const { code, err } = await run(sandbox, ['--check-config', sandbox.configFile]);
    expect(code).toBe(1);
    expect(err).toContain('users: names');
    expect(err).toContain('databases.db.path: cannot be used');
    expect(err).toContain('holds files that are no edgesync database, such as foreign');
  });
});

describe('--check-ready', () => {
  it('asks the running server, over TLS too, and fails once it has stopped', async () => {
    const certificate = await TestCertificate.selfSigned('CN=edge', { usage: 'server' });
    using plain = await EdgeSandbox.create();
    using secure = await EdgeSandbox.create({}, { https: { tls_cert_path: 'c.pem', tls_key_path: 'k.pem' } });
    writeFileSync(join(secure.directory, 'c.pem'), certificate.pem);
    writeFileSync(join(secure.directory, 'k.pem'), certificate.keyPem);
    for (const [sandbox, scheme] of [
      [plain, 'http'],
      [secure, 'https'],
    ] as const) {
      await using server = await sandbox.start();
      const ready = ['--check-ready', sandbox.configFile];
      expect(await run(sandbox, ready)).toEqual({
        code: 0,
        out: `${scheme}://127.0.0.1:${sandbox.port}/_ready is ready.\n`,
        err: '',
      });
      await server.end('SIGTERM');
      expect(await run(sandbox, ready)).toMatchObject({ code: 1, err: expect.stringContaining('does not answer') });
    }
  });
});

it('--port serves elsewhere than the configuration says', async () => {
  using sandbox = await EdgeSandbox.create();
  const port = await freePort();
  await using _server = await sandbox.start('--port', String(port));
  expect((await fetch(`http://127.0.0.1:${port}/_health`)).status).toBe(200);
  await expect(fetch(`${sandbox.url}/_health`)).rejects.toThrow();
});

it('--add-user takes the password from a pipe', async () => {
  using sandbox = await EdgeSandbox.create();
  const file = join(sandbox.directory, 'users.json');
  expect(await run(sandbox, ['--add-user', file, 'alice', '--create'], 'secret\n')).toMatchObject({ code: 0, err: '' });
  const { alice } = JSON.parse(readFileSync(file, 'utf8')) as { alice: { password: string } };
  expect(await verifyPassword('secret', alice.password)).toBe(true);
});
