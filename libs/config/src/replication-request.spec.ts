import { describe, expect, it } from 'vitest';
import { readReplicationRequest } from './replication-request.js';

const databases = new Map([
  ['plant', {}],
  ['other', {}],
]);
const item = { source: 'plant', target: 'wss://cloud:4984/db' };
const read = (body: unknown) => readReplicationRequest(body, databases);
const PEM = '-----BEGIN CERTIFICATE-----\nMA==\n-----END CERTIFICATE-----';

describe('the body of POST /_replicate', () => {
  it('has the keys of the configuration file', () => {
    const body = {
      ...item,
      continuous: true,
      bidirectional: true,
      collections: { a: { channels: ['x'] }, 's.b': {} },
      headers: { 'X-A': 'b' },
      trusted_root_certs: PEM,
      auth: { user: 'u', password: 'p' },
      proxy: { host: 'h', port: 3128 },
    };
    expect(read(body)).toMatchObject({
      ...item,
      continuous: true,
      bidirectional: true,
      collections: [
        { scope: '_default', collection: 'a', channels: ['x'] },
        { scope: 's', collection: 'b' },
      ],
      headers: { 'X-A': 'b' },
      trustedRootCerts: PEM,
      auth: { user: 'u', password: 'p', reconnectOnTokenChange: false },
      proxy: { type: 'HTTP', host: 'h', port: 3128 },
    });
  });

  it('may have null for what is absent, at any depth', () => {
    const nulls = { continuous: null, collections: null, auth: { user: null, session_cookie: 's' }, proxy: null };
    expect(read({ ...item, ...nulls })).toEqual(read({ ...item, auth: { session_cookie: 's' } }));
  });

  it('may have credentials beside auth, and the old name of bidirectional', () => {
    expect(read({ ...item, user: 'u', password: 'p', openid_token: null, bidi: true })).toEqual(
      read({ ...item, auth: { user: 'u', password: 'p' }, bidirectional: true }),
    );
  });

  it.each<[unknown, string]>([
    [[], 'the body must be a JSON object'],
    [null, 'the body must be a JSON object'],
    [{ ...item, sauce: 1 }, "Unknown key 'sauce' in replication parameters."],
    [{ ...item, continous: true }, 'Unknown key \'continous\' in replication parameters. Did you mean "continuous"?'],
    [{ ...item, auth: { pass: 'x' } }, "Unknown key 'auth.pass' in replication parameters."],
    [{ source: 'plant' }, 'target is missing.'],
    [{ ...item, source: 7 }, 'source is a number.'],
    [{ ...item, continuous: 'true' }, 'continuous is a string. Write true without quotes.'],
    [{ source: 'plant', target: 'other' }, 'the replication has no remote end.'],
    [{ source: 'ws://a/b', target: 'wss://c/d' }, 'the replication has two remote ends.'],
    [{ ...item, target: 'wss://cloud' }, 'target is not the URL of a database.'],
    [{ ...item, target: 'ftp://cloud/db' }, 'target is a URL of the scheme ftp:.'],
    [{ source: 'x', auth: { pass: 1 } }, "Unknown key 'auth.pass'"],
    [{ ...item, source: 'plant', channels: [], doc_ids: ['_x'] }, 'channels is empty.'],
    [{ ...item, collections: [] }, 'collections is empty.'],
    [{ ...item, collections: ['a', '_default.a'] }, 'collections names the collection _default.a twice.'],
    [{ ...item, collections: ['a'], channels: ['x'] }, 'the replication has channels or doc_ids beside collections.'],
    [{ ...item, collections: ['a'], doc_ids: ['x'] }, 'the replication has channels or doc_ids beside collections.'],
    [{ ...item, auth: { tls_client_cert: PEM } }, 'auth has a client certificate or key without the other.'],
    [{ ...item, pinned_cert: '/etc/passwd' }, 'pinned_cert must be PEM text'],
    [{ ...item, auth: { tls_client_cert: 'a', tls_client_cert_key: 'b' } }, 'auth.tls_client_cert must be PEM text'],
    [{ ...item, auth: { openid_token: { path: '/etc/token' } } }, 'auth.openid_token must be the token'],
    [{ ...item, auth: { user: 'u', password: { path: '/etc/shadow' } } }, 'auth.password must be the password'],
    [
      { ...item, proxy: { host: 'p', port: 1, auth: { user: 'u', password: { path: '/etc/shadow' } } } },
      'proxy.auth.password must be the password',
    ],
  ])('is refused with 400: %j', (body, message) => {
    const problem = expect.objectContaining({ code: 'request.invalid', message: expect.stringContaining(message) });
    expect(() => read(body)).toThrow(problem as Error);
  });

  it('that names an unknown local database is refused with 404', () => {
    const problem = expect.objectContaining({ code: 'keyspace.unknown', message: 'no database "nowhere"' });
    expect(() => read({ ...item, source: 'nowhere' })).toThrow(problem as Error);
  });

  it.each(['_all_dbs', 'a.b', 'a/b', 'é'])('whose local database cannot be called %s is refused with 400', (source) => {
    const problem = expect.objectContaining({ code: 'keyspace.invalid' });
    expect(() => read({ ...item, source })).toThrow(problem as Error);
  });
});
