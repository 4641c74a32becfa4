import { once } from 'node:events';
import { renameSync, writeFileSync } from 'node:fs';
import { request } from 'node:https';
import { join } from 'node:path';
import { connect } from 'node:tls';
import { hashPassword } from '@edgesync/platform';
import { TestCertificate } from '@edgesync/test-kit';
import { dial } from '@edgesync/socket-ws';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { EdgeSandbox } from './testing/edge-process.js';
import { httpsRequest, type HttpsAnswer, type HttpsOptions } from './testing/https-client.js';

let ca: TestCertificate;
let server: TestCertificate;
let password: string;

beforeAll(async () => {
  ca = await TestCertificate.selfSigned('CN=Plant CA', { ca: true });
  server = await ca.issue('CN=edge, O=Plant', { usage: 'server' });
  password = await hashPassword('geheim');
});

/** Puts a file into the sandbox in one step, as careful programs do. */
function put(sandbox: EdgeSandbox, name: string, content: string): void {
  writeFileSync(join(sandbox.directory, `${name}.new`), content);
  renameSync(join(sandbox.directory, `${name}.new`), join(sandbox.directory, name));
}

interface Setting {
  readonly top?: Record<string, unknown>;
  readonly users?: Record<string, unknown>;
  readonly key?: string;
  readonly clientCa?: string;
}

/** A directory with a configuration for TLS and the files that it names. */
async function tlsSandbox({ top = {}, users, key, clientCa }: Setting = {}): Promise<EdgeSandbox> {
  const https = {
    tls_cert_path: 'cert.pem',
    tls_key_path: 'key.pem',
    ...(clientCa !== undefined && { client_cert_path: 'client-ca.pem' }),
  };
  const sandbox = await EdgeSandbox.create({}, { https, ...(users && { users: 'users.json' }), ...top });
  put(sandbox, 'cert.pem', server.pem);
  put(sandbox, 'key.pem', key ?? server.keyPem);
  if (clientCa !== undefined) put(sandbox, 'client-ca.pem', clientCa);
  if (users) put(sandbox, 'users.json', JSON.stringify(users));
  return sandbox;
}

function get(sandbox: EdgeSandbox, path: string, options: HttpsOptions = {}): Promise<HttpsAnswer> {
  return httpsRequest(`https://127.0.0.1:${sandbox.port}${path}`, { ca: ca.pem, ...options });
}

const basic = (text: string) => ({ headers: { authorization: `Basic ${Buffer.from(text).toString('base64')}` } });

// docs/protocol/edge-server.md#tls
describe('a server with a certificate', () => {
  it('logs its subject first, and speaks TLS 1.2 and 1.3 only', async () => {
    using sandbox = await tlsSandbox();
    await using process = await sandbox.start();
    expect(process.stdout.split('\n').slice(0, 3)).toEqual([
      'TLS certificate subject: CN=edge, O=Plant',
      expect.stringContaining('edgesync '),
      `https://127.0.0.1:${sandbox.port}/db  ${sandbox.bundle}`,
    ]);
    for (const version of ['TLSv1.2', 'TLSv1.3'] as const) {
      const answer = await get(sandbox, '/', { minVersion: version, maxVersion: version });
      expect(answer).toMatchObject({ status: 200, protocol: version, server: 'edge' });
    }
    const old = { minVersion: 'TLSv1', maxVersion: 'TLSv1.1', ciphers: 'DEFAULT@SECLEVEL=0' } as const;
    await expect(get(sandbox, '/', old)).rejects.toThrow(/alert protocol version/);
    expect((await get(sandbox, '/')).status).toBe(200);
    expect(await process.end('SIGTERM')).toBe(0);
  });

  it.each(['GET', 'POST', 'PUT', 'DELETE', 'OPTIONS'])('answers %s in plain HTTP with a sentence', async (method) => {
    using sandbox = await tlsSandbox();
    await using process = await sandbox.start();
    for (let attempt = 0; attempt < 3; attempt++) {
      const answer = await fetch(`http://127.0.0.1:${sandbox.port}/db/x`, { method });
      expect(answer.status).toBe(400);
      expect(await answer.json()).toEqual({
        status: 400,
        error: 'Invalid Request',
        reason: 'this port speaks HTTPS, and the request came in plain HTTP: use https:// (wss:// for sync)',
      });
    }
    expect((await get(sandbox, '/')).status).toBe(200);
    await process.end('SIGTERM');
    expect(process.stderr.match(/Listener WARNING 127\.0\.0\.1 speaks plain HTTP to this port/g)).toHaveLength(1);
  });

  it('asks for the passphrase of its key on standard input', async () => {
    const key = server.key.export({ type: 'pkcs8', format: 'pem', cipher: 'aes-256-cbc', passphrase: 'open sesame' });
    using sandbox = await tlsSandbox({ key: key as string });
    await using process = sandbox.spawn(sandbox.configFile);
    process.child.stdin!.end('open sesame\n');
    await process.started();
    expect((await get(sandbox, '/')).status).toBe(200);
    for (const [input, message] of [
      ['wrong\n', 'key.pem: cannot be decrypted. Check the passphrase.'],
      ['', 'key.pem: is encrypted, and its passphrase was not given'],
    ] as const) {
      await using refused = sandbox.spawn(sandbox.configFile);
      refused.child.stdin!.end(input);
      expect(await refused.exitCode()).toBe(1);
      expect(refused.stderr).toContain(message);
    }
  });

  it.each([
    ['cert.pem', 'garbage', /https\.tls_cert_path: names .*cert\.pem, which holds no valid certificate/],
    ['key.pem', 'garbage', /https\.tls_key_path: names .*key\.pem, which is no private key/],
    ['client-ca.pem', '', /https\.client_cert_path: names .*ca\.pem, which holds no valid certificate/],
  ])('does not start when %s is %j', async (name, content, message) => {
    using sandbox = await tlsSandbox({ clientCa: ca.pem });
    put(sandbox, name, content);
    await using process = sandbox.spawn(sandbox.configFile);
    expect(await process.exitCode()).toBe(1);
    expect(process.stderr).toMatch(message);
    expect(process.stderr).not.toMatch(/^ {4}at /m);
  });

  it('syncs over wss with an app that pins its self-signed certificate', async () => {
    const pinned = await TestCertificate.selfSigned('CN=pinned', { usage: 'server' });
    using sandbox = await tlsSandbox();
    put(sandbox, 'cert.pem', pinned.pem);
    put(sandbox, 'key.pem', pinned.keyPem);
    await using _process = await sandbox.start();
    const url = `wss://127.0.0.1:${sandbox.port}/db/_blipsync`;
    const transport = await dial(url, { protocols: ['BLIP_3+CBMobile_3'], tls: { ca: pinned.pem } });
    transport.close(1000, '');
    await expect(dial(url, { protocols: ['BLIP_3+CBMobile_3'], tls: { ca: ca.pem } })).rejects.toThrow();
  });

  it('stops without waiting for connections that never sent a request', async () => {
    using sandbox = await tlsSandbox();
    await using process = await sandbox.start();
    const options = { host: '127.0.0.1', port: sandbox.port, ca: ca.pem };
    const idle = connect(options);
    await once(idle, 'secureConnect');
    const upload = request({
      ...options,
      method: 'PUT',
      path: '/db/slow',
      headers: { 'content-type': 'application/json', 'content-length': 7, expect: '100-continue' },
    });
    upload.flushHeaders();
    await once(upload, 'continue');
    process.child.kill('SIGTERM');
    await once(idle.resume(), 'close');
    upload.end('{"n":1}');
    const [response] = (await once(upload, 'response')) as [{ statusCode: number }];
    expect(response.statusCode).toBe(201);
    expect(await process.exitCode()).toBe(0);
  });

  it('takes new files over without a restart, and keeps the old ones if they are faulty', async () => {
    using sandbox = await tlsSandbox();
    await using process = await sandbox.start();
    const served = async (): Promise<string> => (await get(sandbox, '/')).server;
    for (const name of ['second', 'third']) {
      const next = await ca.issue(`CN=${name}`);
      put(sandbox, 'key.pem', next.keyPem);
      put(sandbox, 'cert.pem', next.pem);
      await expect.poll(served, { timeout: 10_000 }).toBe(name);
    }
    put(sandbox, 'cert.pem', 'garbage');
    await expect
      .poll(() => process.stderr, { timeout: 10_000 })
      .toMatch(/Listener ERROR the TLS certificate stays as it was: .*cert\.pem: holds no valid certificate/);
    expect(await served()).toBe('third');
    put(sandbox, 'cert.pem', server.pem);
    put(sandbox, 'key.pem', server.keyPem);
    await expect.poll(served, { timeout: 10_000 }).toBe('edge');
  });
});

// docs/protocol/edge-server.md#tls
describe('client certificates', () => {
  let sandbox: EdgeSandbox;
  let certificates: Record<'alice' | 'nobody' | 'stranger' | 'expired' | 'foreign' | 'server', TestCertificate>;
  let process: Awaited<ReturnType<EdgeSandbox['start']>>;

  beforeAll(async () => {
    const clientCa = await TestCertificate.selfSigned('CN=Client CA', { ca: true });
    const otherCa = await TestCertificate.selfSigned('CN=Client CA', { ca: true });
    certificates = {
      alice: await clientCa.issue('CN=alice, O=Plant'),
      nobody: await clientCa.issue('O=Plant'),
      stranger: await clientCa.issue('CN=stranger'),
      expired: await clientCa.issue('CN=alice', { days: -1 }),
      foreign: await otherCa.issue('CN=alice'),
      server: await clientCa.issue('CN=alice', { usage: 'server' }),
    };
    const users = { alice: { access: { 'db.*': ['read'] } }, bob: { password, roles: ['admin'] } };
    const top = { enable_anonymous_users: false, enable_user_access_control: true };
    sandbox = await tlsSandbox({ top, users, clientCa: clientCa.pem });
    process = await sandbox.start();
  });
  afterAll(async () => {
    await process[Symbol.asyncDispose]();
    sandbox[Symbol.dispose]();
  });

  const as = (name: keyof typeof certificates): HttpsOptions => ({
    cert: certificates[name].pem,
    key: certificates[name].keyPem,
  });

  it.each<[string, () => HttpsOptions, number, string]>([
    ['alone is the user of that name', () => as('alice'), 200, '["db"]'],
    ['without an entry is a user who may do nothing', () => as('stranger'), 200, '[]'],
    ['without a name is nobody', () => as('nobody'), 401, ''],
    ['gives way to a valid password', () => ({ ...as('stranger'), ...basic('bob:geheim') }), 200, '["db"]'],
    ['counts when the password is wrong', () => ({ ...as('alice'), ...basic('bob:wrong') }), 200, '["db"]'],
    ['is not needed with a password', () => basic('bob:geheim'), 200, '["db"]'],
    ['or a password is needed', () => ({}), 401, ''],
    ['cannot be replaced by the name of a user without password', () => basic('alice:'), 401, ''],
  ])('14.4–6: a certificate %s', async (_, options, status, databases) => {
    for (const version of ['TLSv1.2', 'TLSv1.3'] as const) {
      const answer = await get(sandbox, '/_all_dbs', { ...options(), minVersion: version, maxVersion: version });
      expect(answer.status).toBe(status);
      if (status === 200) expect(answer.text).toBe(databases);
    }
  });

  it('gives the rights of the user of that name', async () => {
    expect((await get(sandbox, '/db/_all_docs', as('alice'))).status).toBe(200);
    expect((await get(sandbox, '/db/x', { ...as('alice'), method: 'PUT', body: '{}' })).status).toBe(403);
    expect((await get(sandbox, '/db/_all_docs', as('stranger'))).status).toBe(403);
  });

  it.each(['expired', 'foreign', 'server'] as const)(
    'is refused when it is not good (%s), even with a password; others are served on',
    async (name) => {
      for (const version of ['TLSv1.2', 'TLSv1.3'] as const) {
        const options = { ...as(name), ...basic('bob:geheim'), minVersion: version, maxVersion: version };
        await expect(get(sandbox, '/', options)).rejects.toThrow();
      }
      expect((await get(sandbox, '/', as('alice'))).status).toBe(200);
      expect(process.stderr).toContain('Listener WARNING refused the client certificate from 127.0.0.1: ');
    },
  );

  it('does not come out of a resumed session that had none', async () => {
    let session: Buffer | undefined;
    const onSession = (one: Buffer): void => void (session = one);
    expect((await get(sandbox, '/', { onSession })).status).toBe(401);
    await expect.poll(() => session).toBeDefined();
    expect((await get(sandbox, '/', { session })).status).toBe(401);
  });

  it('opens a sync connection', async () => {
    const url = `wss://127.0.0.1:${sandbox.port}/db/_blipsync`;
    const { cert, key } = as('alice');
    const options = { protocols: ['BLIP_3+CBMobile_3'] };
    const transport = await dial(url, { ...options, tls: { ca: ca.pem, cert, key } });
    transport.close(1000, '');
    await expect(dial(url, { ...options, tls: { ca: ca.pem } })).rejects.toMatchObject({ status: 401 });
  });
});
