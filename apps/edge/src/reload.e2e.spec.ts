import { renameSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { hashPassword } from '@edgesync/platform';
import { dial, type WsTransport } from '@edgesync/socket-ws';
import { beforeAll, describe, expect, it } from 'vitest';
import { EdgeSandbox } from './testing/edge-process.js';

const SECONDS = { timeout: 10_000 };
let password: string;
beforeAll(async () => {
  password = await hashPassword('geheim');
});

const authorization = (name: string) => `Basic ${Buffer.from(`${name}:geheim`).toString('base64')}`;

function putUsers(sandbox: EdgeSandbox, users: Record<string, object> | string): void {
  const text =
    typeof users === 'string'
      ? users
      : JSON.stringify(Object.fromEntries(Object.entries(users).map(([name, user]) => [name, { password, ...user }])));
  writeFileSync(join(sandbox.directory, 'users.new'), text);
  renameSync(join(sandbox.directory, 'users.new'), join(sandbox.directory, 'users.json'));
}

async function guardedSandbox(users: Record<string, object>): Promise<EdgeSandbox> {
  const sandbox = await EdgeSandbox.create(
    {},
    { users: 'users.json', enable_anonymous_users: false, enable_user_access_control: true },
  );
  putUsers(sandbox, users);
  return sandbox;
}

async function statusFor(sandbox: EdgeSandbox, name: string): Promise<number> {
  const headers = { authorization: authorization(name) };
  return (await fetch(`${sandbox.url}/db/_all_docs`, { headers })).status;
}

function connect(sandbox: EdgeSandbox, name: string): Promise<WsTransport> {
  return dial(`${sandbox.url.replace('http', 'ws')}/db/_blipsync`, {
    protocols: ['BLIP_3+CBMobile_3'],
    headers: { Authorization: authorization(name) },
  });
}

/** The code that the connection is closed with. */
function closeCode(transport: WsTransport): Promise<number> {
  return new Promise((resolve) => transport.attach({ onFrame() {}, onDrain() {}, onClose: (code) => resolve(code) }));
}

describe('the users file of a running server', () => {
  it('counts as soon as it changes, for requests, feeds and sync connections', async () => {
    using sandbox = await guardedSandbox({ alice: { access: { 'db.*': ['read'] } }, bob: {} });
    await using _server = await sandbox.start();
    expect([await statusFor(sandbox, 'alice'), await statusFor(sandbox, 'carol')]).toEqual([200, 401]);
    const feed = await fetch(`${sandbox.url}/db/_changes?feed=continuous`, {
      headers: { authorization: authorization('alice') },
    });
    const closed = closeCode(await connect(sandbox, 'alice'));

    putUsers(sandbox, { carol: {}, bob: {} });
    expect(await closed).toBe(4001);
    await feed.text();
    await expect(connect(sandbox, 'alice')).rejects.toMatchObject({ status: 401 });
    expect([await statusFor(sandbox, 'alice'), await statusFor(sandbox, 'carol')]).toEqual([401, 200]);

    putUsers(sandbox, { carol: { access: {} } });
    await expect.poll(() => statusFor(sandbox, 'carol'), SECONDS).toBe(403);
  });

  it('changes nothing while it is faulty, and the log says what is wrong', async () => {
    using sandbox = await guardedSandbox({ alice: {} });
    await using server = await sandbox.start();
    putUsers(sandbox, '{ "alice": { "pasword": ');
    await expect.poll(() => server.stderr, SECONDS).toMatch(/ERROR the users stay as they were: .*users\.json/);
    putUsers(sandbox, { alice: { roles: ['root'] } });
    await expect.poll(() => server.stderr, SECONDS).toMatch(/ERROR the users stay as they were: .*alice\.roles/);
    expect(await statusFor(sandbox, 'alice')).toBe(200);
    putUsers(sandbox, { bob: {} });
    await expect.poll(() => statusFor(sandbox, 'alice'), SECONDS).toBe(401);
  });
});
