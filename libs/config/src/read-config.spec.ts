import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { formatIssue } from './config-issue.js';
import { DEFAULT_QUERY_LIMITS } from './query-schema.js';
import { readConfig } from './read-config.js';
import { NOT_SUPPORTED_YET } from './supported.js';

const EXAMPLE = readFileSync(new URL('../fixtures/documented-example.json5', import.meta.url), 'utf8');

/** Reads with every feature supported, so that the whole schema can be tried. */
const read = (config: unknown) =>
  readConfig(typeof config === 'string' ? config : JSON.stringify(config), { file: 'edge.json5', unsupported: [] });
const issues = (config: unknown) => {
  const result = read(config);
  return result.ok ? [] : result.issues.map(formatIssue);
};
const value = (config: unknown) => {
  const result = read(config);
  if (!result.ok) throw new Error(result.issues.map(formatIssue).join('\n'));
  return result.value;
};
const database = (entry: object) => ({ databases: { plant: { path: 'plant.cblite2', ...entry } } });
const plant = (entry: object) => value(database(entry)).databases.get('plant')!;

describe('a configuration', () => {
  it('of the product’s documentation loads as written', () => {
    const result = readConfig(EXAMPLE, { file: 'edge.json5' });
    expect(result).toMatchObject({ ok: true, warnings: [] });
    if (!result.ok) return;
    expect(result.value.databases.get('travel-sample')).toMatchObject({
      path: '/var/lib/edge-server/travel-sample.cblite2',
      create: true,
      enableClientSync: 'bidirectional',
    });
    expect(result.value.listen).toEqual({ host: '0.0.0.0', port: 59840 });
    expect(result.value.usersFile).toBe('/etc/edge-server/users.json');
  });

  it('has the documented defaults', () => {
    expect(value({ databases: { plant: { path: 'plant.cblite2' } } })).toEqual({
      file: 'edge.json5',
      databases: new Map([
        [
          'plant',
          {
            name: 'plant',
            path: 'plant.cblite2',
            create: false,
            enableClientWrites: false,
            enableClientSync: 'none',
            enableAdhocQueries: false,
            queryLimits: DEFAULT_QUERY_LIMITS,
            enableUserAccessControl: false,
          },
        ],
      ]),
      listen: { host: '0.0.0.0', port: 59840 },
      enableAnonymousUsers: false,
      enableUserAccessControl: false,
      logging: { console: true, domains: new Map() },
      replications: [],
    });
  });

  it('may use every documented key', () => {
    const config = value(readFileSync(new URL('../fixtures/every-key.json5', import.meta.url), 'utf8'));
    expect(config.databases.get('plant')).toMatchObject({
      collections: [
        { scope: 'line1', collection: 'sensors' },
        { scope: '_default', collection: 'notes' },
      ],
      queries: new Map<string, object>([
        ['all', { statement: 'SELECT * FROM _' }],
        [
          'hot',
          { statement: 'SELECT 1 FROM line1.sensors', allowCollections: [{ scope: 'line1', collection: 'sensors' }] },
        ],
      ]),
      placeholderUuid: '00112233445566778899aabbccddeeff',
      enableUserAccessControl: false,
    });
    expect(config.logging).toMatchObject({
      console: false,
      file: { dir: '/var/log/edge', maxSize: 2048, rotateCount: 3 },
      domains: new Map([['REST', 'verbose']]),
      audit: { file: '/var/log/edge/audit.log', enable: '*', disable: [57346], omitDescription: true },
    });
    expect(config.https).toEqual({ certPath: 'cert.pem', keyPath: 'key.pem', clientCertPath: 'ca.pem' });
    expect(config.cors).toEqual({ origin: ['https://app.example'], headers: ['Content-Type'], maxAge: 600 });
    expect(config.replications).toMatchObject([
      {
        source: 'wss://central.example:4984/plant',
        target: 'plant',
        collections: [{ scope: 'line1', collection: 'sensors', channels: ['a'], docIds: ['b'] }],
        auth: { openidToken: { path: 'token' }, reconnectOnTokenChange: true },
        proxy: { type: 'HTTPS', host: 'proxy', port: 3128, auth: { user: 'u', password: 'p' } },
      },
    ]);
  });

  it.each([
    [true, 'bidirectional'],
    [false, 'none'],
    ['bidirectional', 'bidirectional'],
    ['pull', 'pull'],
    ['push', 'push'],
  ])('reads enable_client_sync %j as %s', (written, meant) =>
    expect(plant({ enable_client_sync: written }).enableClientSync).toBe(meant),
  );

  it('takes collections as a list or as an object', () => {
    const expected = [
      { scope: '_default', collection: '_default' },
      { scope: 'a', collection: 'b' },
    ];
    expect(plant({ collections: ['_default', 'a.b'] }).collections).toEqual(expected);
    expect(plant({ collections: { '_default._default': {}, 'a.b': {} } }).collections).toEqual(expected);
  });

  it('lets a database overrule the top-level access switch', () => {
    const config = value({
      databases: {
        inherits: { path: 'a.cblite2' },
        opens: { path: 'b.cblite2', enable_user_access_control: false },
      },
      enable_user_access_control: true,
      enable_anonymous_users: true,
    });
    expect(config.databases.get('inherits')!.enableUserAccessControl).toBe(true);
    expect(config.databases.get('opens')!.enableUserAccessControl).toBe(false);
  });

  it('resolves paths with the function it is given', () => {
    const result = readConfig(JSON.stringify({ ...database({}), users: 'users.json' }), {
      file: 'edge.json5',
      resolvePath: (path) => `/work/${path}`,
    });
    expect(result.ok && result.value.usersFile).toBe('/work/users.json');
    expect(result.ok && result.value.databases.get('plant')!.path).toBe('/work/plant.cblite2');
  });

  const open = { ...database({}), enable_anonymous_users: true };
  it.each([
    [database({}), ['lets nobody in']],
    [open, []],
    [{ ...open, databases: {} }, ['is empty']],
    [{ ...open, ...database({ collections: [] }) }, ['is empty: nothing of the database is shared']],
    [{ ...open, enable_user_access_control: true }, [expect.stringMatching(/^lets nobody read or write/)]],
    [{ ...open, logging: { domains: { rest: 'info', Replicator: 'info' } } }, ['is no domain of this server']],
  ])('%j is warned about if it serves nobody', (config, problems) => {
    const result = read(config);
    expect([result.ok, result.warnings.map(({ problem }) => problem)]).toEqual([true, problems]);
  });

  it('returns the files and directories that it names, even if it is invalid', () => {
    const { ok, needs } = read({
      databases: { a: { path: 'a.cblite2', create: true, typo: 1 }, b: { path: 'b.cblite2' } },
      users: 'users.json',
      https: { tls_cert_path: 'cert.pem', tls_key: 'key.pem' },
      logging: { file: { dir: '/logs', maxSize: 1 }, audit: { file: 'audit.log' } },
    });
    expect([ok, needs]).toEqual([
      false,
      [
        { kind: 'database', key: 'databases.a.path', path: 'a.cblite2', create: true },
        { kind: 'database', key: 'databases.b.path', path: 'b.cblite2', create: false },
        { kind: 'users', key: 'users', path: 'users.json' },
        { kind: 'https', key: 'https', paths: { tls_cert_path: 'cert.pem', tls_key: 'key.pem' } },
        { kind: 'directory', key: 'logging.file.dir', path: '/logs' },
        { kind: 'directory', key: 'logging.audit.file', path: '.' },
      ],
    ]);
  });
});

describe('an invalid configuration', () => {
  it.each<[unknown, string]>([
    ['[]', 'edge.json5: is a list. It must be an object in { }.'],
    [{}, 'edge.json5: databases: is missing. Add it: The databases to serve'],
    [{ databases: {}, databasse: 1 }, 'edge.json5: databasse: is not a known key. Known here: $schema, databases'],
    [{ databases: {}, enable_anonymus_users: true }, 'Did you mean "enable_anonymous_users"?'],
    [{ databases: { plant: {} } }, 'edge.json5: databases.plant.path: is missing.'],
    [{ databases: { 'a.b': { path: 'a.cblite2' } } }, 'edge.json5: databases["a.b"]: is not a valid name.'],
    [{ databases: { _a: { path: 'a.cblite2' } } }, 'edge.json5: databases._a: is not a valid name.'],
    [
      database({ path: 'plant.db' }),
      'edge.json5: databases.plant.path: is "plant.db". It must be a path that ends in ".cblite2".',
    ],
    [database({ path: '.cblite2' }), 'databases.plant.path: is ".cblite2"'],
    [database({ create: 'true' }), 'edge.json5: databases.plant.create: is a string. Write true without quotes.'],
    [database({ create: 1 }), 'edge.json5: databases.plant.create: is a number. It must be true or false.'],
    [database({ create: null }), 'edge.json5: databases.plant.create: is null. It must be true or false.'],
    [database({ enable_client_sync: 'pul' }), 'Did you mean "pull"?'],
    [
      database({ enable_client_sync: 3 }),
      'databases.plant.enable_client_sync: is a number. It must be true or false, or "pull"',
    ],
    [database({ collections: ['a.b.c'] }), 'databases.plant.collections[0]: is "a.b.c".'],
    [
      database({ collections: ['a', '_default.a'] }),
      'databases.plant.collections: names the collection _default.a twice.',
    ],
    [
      database({ collections: { a: { filter: 1 } } }),
      'databases.plant.collections.a.filter: is not a known key. No keys',
    ],
    [
      database({ queries: { q: '' } }),
      'databases.plant.queries.q: has the wrong form. It must be a SQL++ SELECT statement.',
    ],
    [database({ queries: { q: { allow: { collections: [] } } } }), 'databases.plant.queries.q.statement: is missing.'],
    [database({ placeholder_uuid: 'abc' }), 'databases.plant.placeholder_uuid: has the wrong form. It must be a UUID'],
    [{ databases: {}, interface: '::1' }, 'edge.json5: interface: is "::1". It must be "IP:port", "IP" or ":port"'],
    [{ databases: {}, https: { tls_cert_path: 'c' } }, 'edge.json5: https.tls_key_path: is missing.'],
    [{ databases: {}, cors: { max_age: 1.5 } }, 'cors.max_age: is 1.5. It must be an integer, at least 0.'],
    [{ databases: {}, cors: { headers: ['Content Type'] } }, 'cors.headers[0]: is "Content Type". It must be the name'],
    [{ databases: {}, interface: ':99999' }, 'interface: has the port 99999, and ports end at 65535. Write "IP:port"'],
    [{ databases: {}, interface: '10.0.0.256' }, 'interface: has the host 10.0.0.256, which is no IPv4 address.'],
    [{ databases: {}, logging: { file: { dir: '/x', maxSize: 10 } } }, 'logging.file.maxSize: is 10.'],
    [
      "{databases: {a: {path: 'a.cblite2'}, a: {path: 'b.cblite2'}}}",
      'databases.a: is there twice, at line 1, column 14',
    ],
    ["{databases: {}, logging: {audit: {file: 'a', file: 'b'}}}", 'logging.audit.file: is there twice, at line 1'],
    [
      { databases: {}, logging: { file: { dir: '/x', format: 'binary' } } },
      'logging.file.format: is "binary", which is',
    ],
    [{ databases: {}, logging: { domains: { REST: 'warn' } } }, 'logging.domains.REST: is "warn". Did you mean'],
    [{ databases: {}, replications: [{ source: 'a' }] }, 'edge.json5: replications[0].target: is missing.'],
    ['{databases: {}', 'edge.json5: is not valid JSON5 at line 1, column 15: invalid end of input.'],
  ])('%j names the error', (config, message) => {
    expect(issues(config).join('\n')).toContain(message);
  });

  it('names all errors at once', () => {
    const config = { databases: { plant: { path: 1, create: 'yes' } }, interface: 7, nonsense: true };
    expect(issues(config)).toHaveLength(4);
  });

  it('never shows a password', () => {
    const secret = 12345678;
    for (const config of [
      database({ password: secret }),
      { databases: {}, replications: [{ auth: { password: secret } }] },
    ])
      expect(issues(config).join('\n')).not.toContain(String(secret));
  });

  it('shares no directory between two databases', () => {
    const config = { databases: { a: { path: 'x.cblite2' }, b: { path: 'x.cblite2/' } } };
    expect(issues(config)).toEqual([
      'edge.json5: databases.b.path: is also the path of "a". Give each database its own path.',
    ]);
  });
});

describe('a replication that cannot be started', () => {
  const item = { source: 'wss://host:4984/db', target: 'plant' };
  it.each([
    [{ ...item, target: 'wss://other/db' }, 'replications[1]: has two remote ends.'],
    [{ ...item, source: 'plant' }, 'replications[1]: has no remote end.'],
    [
      { ...item, target: 'plnt' },
      'replications[1].target: names no configured database: "plnt". Did you mean "plant"?',
    ],
    [{ ...item, source: 'wss://host:4984' }, 'replications[1].source: is not the URL of a database.'],
    [{ ...item, collections: [] }, 'replications[1].collections: is empty.'],
    [{ ...item, collections: ['a'], channels: ['b'] }, 'replications[1]: has channels or doc_ids beside collections.'],
  ])('%j is an error', (bad, message) => {
    expect(issues({ ...database({}), replications: [item, bad] }).join('\n')).toContain(message);
  });

  it.each([
    [{ user: 'u' }, 'has user or password without the other'],
    [{ tls_client_cert: 'c' }, 'has a client certificate or key without the other'],
  ])('credentials %j are an error', (auth, message) => {
    expect(issues({ ...database({}), replications: [{ ...item, auth }] }).join('\n')).toContain(message);
  });
});

describe('a key whose feature does not exist yet', () => {
  const refused = (config: unknown) => {
    const result = readConfig(JSON.stringify(config), {
      file: 'edge.json5',
      unsupported: ['https', 'databases.*.queries', 'logging.file', 'databases.*.enable_adhoc_queries', 'replications'],
    });
    return result.ok
      ? []
      : result.issues.filter(({ problem }) => problem === 'is not supported yet').map(({ path }) => path);
  };

  it('is refused wherever it is used, also beside other issues', () => {
    expect(
      refused({
        databases: { a: { path: 'a.cblite2', queries: {} }, b: { path: 3, enable_adhoc_queries: true } },
        https: {},
        logging: { file: { dir: '/x' } },
        replications: [{}],
      }),
    ).toEqual(['https', 'databases.a.queries', 'logging.file', 'databases.b.enable_adhoc_queries', 'replications']);
  });

  it('may be switched off', () => {
    const config = { databases: { a: { path: 'a.cblite2', enable_adhoc_queries: false } }, replications: [] };
    expect(refused(config)).toEqual([]);
  });

  it.each(NOT_SUPPORTED_YET.map((path) => [path]))('%s exists in the schema', (path) => {
    expect(readFileSync(new URL('../fixtures/every-key.json5', import.meta.url), 'utf8')).toContain(
      path.split('.').at(-1),
    );
  });
});

describe('an origin of cors', () => {
  const check = (...origin: string[]) => {
    const result = read({ ...database({}), enable_anonymous_users: true, cors: { origin } });
    return [...(result.ok ? [] : result.issues), ...result.warnings].map(formatIssue);
  };

  it.each([
    'https://app.example',
    'http://localhost:3000',
    'HTTPS://App.Example/',
    'https://app.example:8443',
    'http://[::1]:8080',
    'https://xn--bcher-kva.example',
    'capacitor://localhost',
    'ionic://localhost',
    'chrome-extension://abcdefgh',
    '*',
  ])('%s is fine', (origin) => expect(check(origin)).toEqual([]));

  it.each([
    ['app.example', 'Put the scheme in front: "https://app.example".'],
    ['//app.example', 'Put the scheme in front: "https://app.example".'],
    ['https://*.b.example', 'List every origin in full, or write ["*"]'],
    ['https://app.example:443', 'Browsers send "https://app.example": write that.'],
    ['http://app.example:80/', 'Browsers send "http://app.example": write that.'],
    ['https://app.example/shop', 'Browsers send "https://app.example": write that.'],
    ['https://user@app.example', 'Browsers send "https://app.example": write that.'],
    ['https://bücher.example', 'Browsers send "https://xn--bcher-kva.example": write that.'],
    ['capacitor://localhost/app', 'Browsers send "capacitor://localhost": write that.'],
    ['https://', 'Write a scheme, a host'],
    ['https://a b', 'Write a scheme, a host'],
  ])('%s matches no page and is refused', (origin, fix) => {
    expect(check(origin)).toEqual([
      expect.stringContaining(`cors.origin[0]: is ${JSON.stringify(origin)}, which no page can have as its origin.`),
    ]);
    expect(check(origin).join()).toContain(fix);
  });

  it.each([
    [[], 'cors.origin: is empty'],
    [['null'], 'cors.origin[0]: admits "null"'],
    [['*', 'https://a.example'], 'cors.origin: has "*" beside other origins'],
  ])('list %j is warned about', (origins, message) =>
    expect(check(...origins)).toEqual([expect.stringContaining(message)]),
  );
});
