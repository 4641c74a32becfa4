import { mkdtempSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { ReplicationConfig } from '@edgesync/config';
import { ConfigError, loadSettings } from '@edgesync/config-files';
import { TestCertificate } from '@edgesync/test-kit';
import { describe, expect, it } from 'vitest';
import { RemoteAccess } from './remote-access.js';
import { fileIssues, fileProblems, readPassword } from './remote-files.js';

const folder = mkdtempSync(join(tmpdir(), 'edgesync-'));
const file = (name: string, content: string | Buffer): string => {
  writeFileSync(join(folder, name), content);
  return join(folder, name);
};
const DEFINITION: ReplicationConfig = { source: 'db', target: 'wss://host/db', bidirectional: true, continuous: true };
const problems = (members: Partial<ReplicationConfig>): string[] =>
  fileProblems({ ...DEFINITION, ...members }).map(({ message }) => message);
const auth = (members: Partial<NonNullable<ReplicationConfig['auth']>>): Partial<ReplicationConfig> => ({
  auth: { reconnectOnTokenChange: false, ...members },
});

describe('a password in a file', () => {
  const proxy = (password: string | { path: string }): Partial<ReplicationConfig> => ({
    proxy: { type: 'HTTP', host: 'proxy', port: 1, auth: { user: 'p', password } },
  });

  it('is its one line, with the spaces that it has', async () => {
    expect(await readPassword('auth', { path: file('password', ' pä ss \n') })).toBe(' pä ss ');
    expect(await readPassword('auth', 'written')).toBe('written');
    expect(problems({ ...auth({ user: 'u', password: { path: file('password', 'x') } }), ...proxy('y') })).toEqual([]);
  });

  it('is sent to the other server and to the proxy, as it is in the file at each attempt', async () => {
    const path = file('password', 'first\n');
    const access = new RemoteAccess({ ...DEFINITION, ...auth({ user: 'u', password: { path } }), ...proxy({ path }) });
    const sent = async () => {
      const { headers, proxy: through } = await access.prepare();
      return [headers['Authorization'], through?.headers?.['Proxy-Authorization']];
    };
    const basic = (text: string): string => `Basic ${Buffer.from(text).toString('base64')}`;
    expect(await sent()).toEqual([basic('u:first'), basic('p:first')]);
    writeFileSync(path, 'second');
    expect(await sent()).toEqual([basic('u:second'), basic('p:second')]);
  });

  it.each([
    ['', 'which is empty'],
    ['one\ntwo\n', 'which holds more than one line'],
  ])('%j cannot be used', (content, problem) => {
    const path = file('bad', content);
    expect(problems({ ...auth({ user: 'u', password: { path } }), ...proxy({ path: join(folder, 'none') }) })).toEqual([
      expect.stringMatching(new RegExp(`auth\\.password.*${problem}`)),
      expect.stringContaining('proxy.auth.password'),
    ]);
  });
});

describe('files of a definition', () => {
  it('can be used as PEM, as DER and as text in the definition', async () => {
    const root = await TestCertificate.selfSigned('CN=root', { ca: true });
    const client = await root.issue('CN=edge', { usage: 'client' });
    expect(
      problems({
        trustedRootCerts: file('root.pem', root.pem),
        pinnedCert: file('root.der', root.der),
        auth: {
          reconnectOnTokenChange: false,
          openidToken: { path: file('token', ' abc.def\n') },
          tlsClientCert: file('client.der', client.der),
          tlsClientCertKey: file('client.key', client.key.export({ type: 'pkcs8', format: 'der' })),
        },
        proxy: {
          type: 'HTTPS',
          host: 'proxy',
          port: 1,
          auth: { tlsClientCert: client.pem, tlsClientCertKey: client.keyPem },
        },
      }),
    ).toEqual([]);
  });

  it('are all named if they cannot be used', async () => {
    const [one, other] = [await TestCertificate.selfSigned('CN=one'), await TestCertificate.selfSigned('CN=other')];
    const none = join(folder, 'none');
    const odd = file('odd', 'odd');
    expect(
      problems({
        trustedRootCerts: odd,
        pinnedCert: none,
        auth: {
          reconnectOnTokenChange: false,
          openidToken: { path: folder },
          tlsClientCert: one.pem,
          tlsClientCertKey: other.keyPem,
        },
        proxy: { type: 'HTTP', host: 'proxy', port: 1, auth: { tlsClientCert: odd, tlsClientCertKey: odd } },
      }),
    ).toEqual([
      `auth.openid_token names ${folder}, which is a directory`,
      'trusted_root_certs holds no certificate in PEM',
      `pinned_cert names ${none}, which does not exist`,
      'auth.tls_client_cert_key is not the key of auth.tls_client_cert',
      'proxy.auth.tls_client_cert is not a certificate in PEM or DER',
      'proxy.auth.tls_client_cert_key is not a private key in PEM or DER',
    ]);
  });

  it('that hold tokens hold one, or may come later if they are watched', () => {
    const token = (path: string, reconnectOnTokenChange = false): string[] =>
      problems(auth({ openidToken: { path }, reconnectOnTokenChange }));
    const [empty, odd] = [file('empty', '\n'), file('two', 'a b')];
    expect(token(empty)).toEqual([`auth.openid_token names ${empty}, which is empty`]);
    expect(token(odd)).toEqual([`auth.openid_token names ${odd}, which holds something else than a token`]);
    expect(token(join(folder, 'later'), true)).toEqual([]);
    expect(token(join(folder, 'no', 'later'), true)).toEqual([
      `auth.openid_token names ${join(folder, 'no', 'later')}, whose directory does not exist`,
    ]);
  });

  it('are checked with the rest of the configuration, relative to the working directory', () => {
    const configFile = file(
      'edge.json5',
      JSON.stringify({
        databases: { db: { path: 'db.cblite2' } },
        nonsense: 1,
        replications: [
          { source: 'db', target: 'wss://host/db', pinned_cert: 'none.pem' },
          { source: 'db', target: 'wss://other/db', trusted_root_certs: 'none.pem' },
        ],
      }),
    );
    let issues: readonly { path: string; problem: string }[] = [];
    try {
      loadSettings(configFile, { inspectReplication: fileIssues });
    } catch (error) {
      if (error instanceof ConfigError) issues = error.issues;
    }
    const problem = `names ${join(process.cwd(), 'none.pem')}, which does not exist`;
    expect(issues).toMatchObject([
      { path: 'nonsense' },
      { path: 'replications[0].pinned_cert', problem },
      { path: 'replications[1].trusted_root_certs', problem },
    ]);
  });
});
