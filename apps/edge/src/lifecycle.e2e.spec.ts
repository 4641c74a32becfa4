import { once } from 'node:events';
import { writeFileSync } from 'node:fs';
import { request } from 'node:http';
import { createServer } from 'node:net';
import { describe, expect, it } from 'vitest';
import { EdgeSandbox } from './testing/edge-process.js';

describe('stopping', () => {
  it.each(['SIGTERM', 'SIGINT', 'SIGHUP'] as const)(
    'ends with code 0 after %s and keeps what was written',
    async (signal) => {
      using sandbox = await EdgeSandbox.create();
      await using first = await sandbox.start();
      await fetch(`${sandbox.url}/db/a`, {
        method: 'PUT',
        headers: { 'Content-Type': 'application/json' },
        body: '{"n":1}',
      });
      expect(await first.end(signal)).toBe(0);
      expect(first.stdout).toMatch(/^edgesync is ready\.\nedgesync has stopped\.\n$/m);
      await using _second = await sandbox.start();
      const document = (await (await fetch(`${sandbox.url}/db/a`)).json()) as { n: number };
      expect(document.n).toBe(1);
    },
  );

  it('finishes a request that is under way and accepts no more', async () => {
    using sandbox = await EdgeSandbox.create();
    await using server = await sandbox.start();
    const upload = request(`${sandbox.url}/db/slow`, {
      method: 'PUT',
      headers: { 'Content-Type': 'application/json', 'Content-Length': 7, Expect: '100-continue' },
    });
    await once(upload.flushHeaders() ?? upload, 'continue');
    server.child.kill('SIGTERM');
    while (await answers(sandbox.url));
    upload.end('{"n":1}');
    const [response] = (await once(upload, 'response')) as [{ statusCode: number }];
    expect(response.statusCode).toBe(201);
    expect(await server.exitCode()).toBe(0);
  });

  it('does not wait for a client that never finishes', async () => {
    using sandbox = await EdgeSandbox.create();
    await using server = await sandbox.start();
    const upload = request(`${sandbox.url}/db/never`, {
      method: 'PUT',
      headers: { 'Content-Type': 'application/json', 'Content-Length': 7, Expect: '100-continue' },
    });
    const cutOff = once(upload, 'error');
    await once(upload.flushHeaders() ?? upload, 'continue');
    expect(await server.end('SIGTERM')).toBe(0);
    await cutOff;
  });
});

it('stops when the process that started it with a channel is gone', async () => {
  using sandbox = await EdgeSandbox.create();
  await using server = sandbox.spawnWithChannel(sandbox.configFile);
  await server.started();
  const ended = once(server.child, 'exit');
  server.child.disconnect();
  expect(await ended).toEqual([0, null]);
  await expect.poll(() => server.stdout).toContain('edgesync has stopped.');
});

describe('a start that cannot succeed', () => {
  it('says which database is missing when it may not create it', async () => {
    using sandbox = await EdgeSandbox.create({ create: false });
    await expectRefusal(sandbox, `databases.db.path: names no database: there is none at ${sandbox.bundle}`);
  });

  it('names every mistake in the configuration with its key', async () => {
    using sandbox = await EdgeSandbox.create({ enable_client_write: true, create: 'yes' });
    await expectRefusal(sandbox, 'databases.db.enable_client_write', 'databases.db.create');
  });

  it('names every error of configuration, users, directories, certificates and databases at once', async () => {
    using sandbox = await EdgeSandbox.create(
      { create: false, enable_client_write: true },
      {
        interface: '127.0.0.1:99999',
        users: 'users.json',
        https: { tls_cert_path: 'cert.pem', tls_key_path: 'key.pem' },
        logging: { file: { dir: 'logs' }, audit: { file: 'audit/audit.log' } },
        cors: { origin: ['app.example'] },
      },
    );
    writeFileSync(`${sandbox.directory}/users.json`, '{"alice": {"rols": []}}');
    const stderr = await expectRefusal(
      sandbox,
      'databases.db.enable_client_write: is not a known key',
      'databases.db.path: names no database',
      'interface: has the port 99999',
      'alice.rols: is not a known key',
      'https.tls_cert_path: names',
      'https.tls_key_path: names',
      'logging.file.dir: names',
      'logging.audit.file: names',
      'cors.origin[0]: is "app.example"',
    );
    expect(stderr).toMatch(/^edgesync: 9 errors:$/m);
    expect(stderr.trim().split('\n')).toHaveLength(10);
  });

  it('says that the port is taken, in one line', async () => {
    using sandbox = await EdgeSandbox.create();
    const other = createServer().listen(sandbox.port, '127.0.0.1');
    await once(other, 'listening');
    const stderr = await expectRefusal(sandbox);
    expect(stderr).toBe(`edgesync: port ${sandbox.port} of 127.0.0.1 is in use by another process\n`);
    other.close();
  });

  it('names the process that has the database open', async () => {
    using sandbox = await EdgeSandbox.create();
    await using server = await sandbox.start();
    using intruder = await EdgeSandbox.create({ path: sandbox.bundle });
    await expectRefusal(intruder, 'is open in another process', `process ${server.child.pid}`);
  });

  it('refuses a users file that is not one', async () => {
    using sandbox = await EdgeSandbox.create({}, { users: 'users.json' });
    writeFileSync(`${sandbox.directory}/users.json`, '{"alice": {"password": "secret"}}');
    await expectRefusal(sandbox, 'users.json', 'alice.password');
  });
});

/** @returns what the server said */
async function expectRefusal(sandbox: EdgeSandbox, ...parts: string[]): Promise<string> {
  await using server = sandbox.spawn(sandbox.configFile);
  expect(await server.exitCode()).toBe(1);
  for (const part of parts) expect(server.stderr).toContain(part);
  expect(server.stderr).not.toMatch(/^ {4}at /m);
  expect(server.stdout).toBe('');
  return server.stderr;
}

async function answers(url: string): Promise<boolean> {
  return fetch(url).then(
    () => true,
    () => false,
  );
}
