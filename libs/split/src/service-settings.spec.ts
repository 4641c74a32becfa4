import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import { readServiceSettings, type ServiceRole } from './service-settings.js';

const directory = mkdtempSync(join(tmpdir(), 'edgesync-'));
afterAll(() => rmSync(directory, { recursive: true }));
const file = (name: string, content: string): string => {
  const path = join(directory, name);
  writeFileSync(path, content);
  return path;
};
const SECRET = 'x'.repeat(32);
const GOOD = {
  PATH: '/bin',
  EDGESYNC_CONFIG: '/etc/edgesync/config.json5',
  EDGESYNC_NATS_URL: 'nats://nats:4222',
  EDGESYNC_NATS_USER: 'edgesync',
  EDGESYNC_NATS_PASSWORD_FILE: file('password', 'geheim\n'),
  EDGESYNC_HANDSHAKE_SECRET_FILE: file('secret', `${SECRET}\n`),
};

const errorOf = (changes: Record<string, string | undefined>, role: ServiceRole = 'gateway'): string => {
  try {
    readServiceSettings(role, { ...GOOD, ...changes });
    return '';
  } catch (error) {
    return (error as Error).message;
  }
};

describe('the environment of a service', () => {
  it('is read with secrets from files and defaults for the rest', () => {
    expect(readServiceSettings('replication', GOOD)).toEqual({
      configFile: '/etc/edgesync/config.json5',
      nats: { servers: ['nats://nats:4222'], user: 'edgesync', password: 'geheim' },
      leaseReplicas: 1,
      listen: { host: '0.0.0.0', port: 59841 },
      handshakeSecret: SECRET,
    });
  });

  it('names clusters, addresses and certificates where they differ from the defaults', () => {
    const caFile = file('ca.pem', 'a certificate');
    const settings = readServiceSettings('replication', {
      ...GOOD,
      EDGESYNC_NATS_URL: 'tls://a:4222, tls://b:4222',
      EDGESYNC_NATS_CA_FILE: caFile,
      EDGESYNC_LEASE_REPLICAS: '3',
      EDGESYNC_LISTEN: '127.0.0.1:0',
      EDGESYNC_ADVERTISE: 'worker-1.local',
    });
    expect(settings).toMatchObject({
      nats: { servers: ['tls://a:4222', 'tls://b:4222'], tls: { caFile } },
      leaseReplicas: 3,
      listen: { host: '127.0.0.1', port: 0 },
      advertise: 'worker-1.local',
    });
  });

  it('names a certificate file that is not there', () => {
    expect(errorOf({ EDGESYNC_NATS_CA_FILE: '/nowhere/ca.pem' })).toMatch(
      /EDGESYNC_NATS_CA_FILE: names \/nowhere\/ca\.pem, which/,
    );
  });

  it('needs the handshake secret for gateways and workers only', () => {
    const without = { EDGESYNC_HANDSHAKE_SECRET_FILE: undefined };
    expect(errorOf(without, 'gateway')).toMatch(/EDGESYNC_HANDSHAKE_SECRET_FILE: is missing/);
    expect(errorOf(without, 'replication')).toMatch(/EDGESYNC_HANDSHAKE_SECRET_FILE: is missing/);
    expect(errorOf(without, 'storage')).toBe('');
    expect(readServiceSettings('storage', GOOD)).not.toHaveProperty('handshakeSecret');
  });

  it('names everything that is wrong at once', () => {
    const message = errorOf({ EDGESYNC_CONFIG: undefined, EDGESYNC_NATS_URL: '', EDGESYNC_LISTEN: 'here' });
    expect(message).toMatch(/^3 errors:/);
    expect(message).toContain(
      'environment: EDGESYNC_CONFIG: is missing. Set it, for instance to /etc/edgesync/config.json5.',
    );
  });

  it.each<[string, Record<string, string | undefined>, RegExp]>([
    [
      'a misspelt name',
      { EDGESYNC_NATS_ULR: 'x' },
      /EDGESYNC_NATS_ULR: is no setting. Did you mean EDGESYNC_NATS_URL\?/,
    ],
    ['a name that is like no other', { EDGESYNC_COLOUR: 'x' }, /is no setting. Known are/],
    ['a URL that is not one of NATS', { EDGESYNC_NATS_URL: 'http://nats' }, /not a list of NATS servers/],
    ['a password in the URL', { EDGESYNC_NATS_URL: 'nats://me:geheim@nats:4222' }, /not a list of NATS servers/],
    ['a user without password', { EDGESYNC_NATS_PASSWORD_FILE: undefined }, /NATS_PASSWORD_FILE: is missing. Set both/],
    ['a password without user', { EDGESYNC_NATS_USER: undefined }, /NATS_USER: is missing. Set both/],
    [
      'a file that is not there',
      { EDGESYNC_NATS_PASSWORD_FILE: '/none' },
      /names \/none, which cannot be read \(ENOENT\)/,
    ],
    ['an empty file', { EDGESYNC_NATS_PASSWORD_FILE: file('empty', '\n') }, /which is empty/],
    ['a short secret', { EDGESYNC_HANDSHAKE_SECRET_FILE: file('short', 'geheim') }, /fewer than 32 characters/],
    ['a number of copies', { EDGESYNC_LEASE_REPLICAS: '2' }, /is not 1, 3 or 5/],
    ['an advertised URL', { EDGESYNC_ADVERTISE: 'http://me' }, /is not a host name/],
  ])('refuses %s', (_what, changes, message) => {
    expect(errorOf(changes)).toMatch(message);
    expect(errorOf(changes)).not.toContain('geheim');
  });
});
