import { once } from 'node:events';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { createServer, type AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Loggers } from '@edgesync/logging';
import { startNatsServer, TestCertificate } from '@edgesync/test-kit';
import { beforeEach, describe, expect, it } from 'vitest';
import { connectBus } from './connect-bus.js';

let lines: string[];
beforeEach(() => {
  lines = [];
});

function launch(signal = new AbortController().signal) {
  const output = { line: (text: string) => void lines.push(text), flush: async () => {}, flushSync: () => {} };
  const loggers = new Loggers({ config: { console: true, domains: new Map() }, output, now: Date.now });
  return { loggers, lifetime: new AsyncDisposableStack(), signal };
}
const settings = (url: string, user?: string, password?: string) => ({
  nats: { servers: [url], ...(user !== undefined && { user }), ...(password !== undefined && { password }) },
});

describe('a NATS server that is not there', () => {
  it('is mentioned in one line, however often it is tried', async () => {
    let attempts = 0;
    const { promise: thirdAttempt, resolve } = Promise.withResolvers<void>();
    const silent = createServer((socket) => {
      socket.destroy();
      if (++attempts === 3) resolve();
    }).listen(0, '127.0.0.1');
    await once(silent, 'listening');
    const url = `nats://127.0.0.1:${(silent.address() as AddressInfo).port}`;
    const stop = new AbortController();
    const connecting = connectBus('storage', settings(url), launch(stop.signal));
    await thirdAttempt;
    stop.abort(new Error('stopped'));
    await expect(connecting).rejects.toThrow('stopped');
    silent.close();
    expect(lines).toEqual([expect.stringContaining(`Default WARNING waiting for NATS at ${url}: `)]);
    expect(lines[0]).not.toContain('    at ');
  });

  it('is used once it is there, which is mentioned too', async () => {
    const nats = await startNatsServer();
    await nats.stop();
    const parts = launch();
    const connecting = connectBus('storage', settings(nats.url), parts);
    await expect.poll(() => lines.length).toBe(1);
    await nats.restart();
    expect((await connecting).connected).toBe(true);
    expect(lines[1]).toContain(`connected to NATS at ${nats.url}`);
    await parts.lifetime.disposeAsync();
    await nats.dispose();
  });
});

it('a certificate that no known authority signed is an error of EDGESYNC_NATS_CA_FILE', async () => {
  const directory = mkdtempSync(join(tmpdir(), 'edgesync-'));
  const authority = await TestCertificate.selfSigned('CN=ours', { ca: true });
  const server = await authority.issue('CN=localhost');
  writeFileSync(join(directory, 'cert.pem'), server.pem);
  writeFileSync(join(directory, 'key.pem'), server.keyPem);
  const files = `cert_file: "${directory}/cert.pem", key_file: "${directory}/key.pem"`;
  const nats = await startNatsServer({ config: `tls { ${files} }` });
  const connecting = connectBus('gateway', settings(`tls://localhost:${nats.port}`), launch());
  await expect(connecting).rejects.toThrow(/^environment: EDGESYNC_NATS_CA_FILE: does not vouch for the certificate/);
  await nats.dispose();
  rmSync(directory, { recursive: true });
});

it.each([
  ['EDGESYNC_NATS_PASSWORD_FILE', 'edgesync', 'wrong', 'refuses for the user edgesync'],
  ['EDGESYNC_NATS_USER', undefined, undefined, 'asks for a user'],
])('credentials that NATS refuses are an error of %s', async (variable, user, password, problem) => {
  const nats = await startNatsServer({ config: 'authorization { users = [{ user: edgesync, password: "s3cret" }] }' });
  const connecting = connectBus('gateway', settings(nats.url, user, password), launch());
  await expect(connecting).rejects.toThrow(new RegExp(`^environment: ${variable}: .*${problem}`));
  await nats.dispose();
});
