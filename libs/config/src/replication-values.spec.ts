import fc from 'fast-check';
import { validateHeaderName, validateHeaderValue } from 'node:http';
import { describe, expect, it } from 'vitest';
import { formatIssue } from './config-issue.js';
import { readConfig } from './read-config.js';
import { readReplicationRequest } from './replication-request.js';

/** The same rules hold for the configuration file and for `POST /_replicate`. */

const ITEM = { source: 'plant', target: 'wss://cloud:4984/db' };
const DATABASES = {
  plant: { path: 'plant.cblite2' },
  shop: { path: 'shop.cblite2', collections: ['stock.items', 'till'] },
};

function read(definition: object) {
  return readConfig(
    JSON.stringify({ databases: DATABASES, enable_anonymous_users: true, replications: [definition] }),
    {
      file: 'edge.json5',
    },
  );
}

function issuesOf(definition: object): string[] {
  const result = read(definition);
  return result.ok ? [] : result.issues.map(formatIssue);
}

function reasonOf(definition: object): string {
  const databases = new Map([
    ['plant', {}],
    ['shop', { collections: DATABASES.shop.collections.map((name) => collectionOf(name)) }],
  ]);
  try {
    readReplicationRequest(definition, databases);
    return '';
  } catch (error) {
    expect(error).toMatchObject({ code: 'request.invalid', status: 400 });
    return (error as Error).message;
  }
}

const collectionOf = (name: string): { scope: string; collection: string } => {
  const [scope, collection] = name.includes('.') ? (name.split('.') as [string, string]) : ['_default', name];
  return { scope, collection };
};

describe('a definition is refused, naming the key', () => {
  it.each<[object, string, string]>([
    // The URL.
    [{ target: 'https://cloud/db' }, 'target', 'is a URL of the scheme https:. Write it with wss'],
    [{ target: 'http://cloud/db' }, 'target', 'is a URL of the scheme http:. Write it with ws:'],
    [{ target: 'wss://cloud' }, 'target', 'is not the URL of a database'],
    [{ target: 'wss://cloud//' }, 'target', 'is not the URL of a database'],
    [{ target: 'wss://cloud:0/db' }, 'target', 'is not the URL of a database'],
    [{ target: 'wss://cloud:99999/db' }, 'target', 'is not the URL of a database'],
    [{ target: 'wss://clo ud/db' }, 'target', 'is not the URL of a database'],
    [{ target: 'wss://cloud/d%b' }, 'target', 'is not percent-encoded UTF-8'],
    [{ target: 'wss://cloud/db#x' }, 'target', 'has a fragment'],
    [{ target: 'wss://cloud/db/_blipsync' }, 'target', 'names the endpoint of sync'],
    [{ target: 'ws://u:5%@cloud/db' }, 'target', 'has a user name or password that is not percent-encoded UTF-8'],
    [{ target: 'ws://u:%zz@cloud/db' }, 'target', 'has a user name or password that is not percent-encoded UTF-8'],
    [{ target: 'ws://%FF@cloud/db' }, 'target', 'has a user name or password that is not percent-encoded UTF-8'],
    [{ target: 'ws://:secret@cloud/db' }, 'target', 'has a password without a user name'],
    [{ target: 'ws://a%3Ab:c@cloud/db' }, 'target', 'has a user name with ":"'],
    [{ target: 'ws://a:b%0Ac@cloud/db' }, 'target', 'has a user name with ":", or control characters'],
    // Headers and what becomes one.
    [{ headers: { 'X-A': 'a\r\nX-B: c' } }, 'headers.X-A', 'has the wrong form'],
    [{ headers: { 'X-A': '√' } }, 'headers.X-A', 'has the wrong form'],
    [{ headers: { 'X A': 'b' } }, 'headers["X A"]', 'is not a valid name'],
    [{ headers: { 'X-A': 'b', 'x-a': 'c' } }, 'headers.x-a', 'stands twice'],
    [{ headers: { upgrade: 'h2c' } }, 'headers.upgrade', 'belongs to the handshake'],
    [{ headers: { 'Sec-WebSocket-Protocol': 'x' } }, 'headers.Sec-WebSocket-Protocol', 'belongs to the handshake'],
    [{ headers: { 'Content-Length': '3' } }, 'headers.Content-Length', 'belongs to the handshake'],
    [
      { headers: { authorization: 'x' }, auth: { user: 'u', password: 'p' } },
      'headers.authorization',
      'stands beside other credentials',
    ],
    [
      { headers: { Authorization: 'x' }, target: 'ws://u:p@cloud/db' },
      'headers.Authorization',
      'stands beside other credentials',
    ],
    [
      { headers: { cookie: 'x' }, auth: { session_cookie: 'a' } },
      'headers.cookie',
      'stands beside auth.session_cookie',
    ],
    [{ auth: { session_cookie: 'a\nb' } }, 'auth.session_cookie', 'has the wrong form'],
    [{ auth: { session_cookie: '√' } }, 'auth.session_cookie', 'has the wrong form'],
    [{ auth: { openid_token: 'a b' } }, 'auth.openid_token', 'has the wrong form'],
    [{ auth: { openid_token: 'a\n' } }, 'auth.openid_token', 'has the wrong form'],
    [{ auth: { user: 'a:b', password: 'c' } }, 'auth.user', 'has the wrong form'],
    [{ auth: { user: 'a', password: 'secret\n' } }, 'auth.password', 'has the wrong form'],
    [{ auth: { user: 'a', password: '\ud800' } }, 'auth.password', 'has the wrong form'],
    // The proxy.
    [{ proxy: { host: 'http://proxy', port: 1 } }, 'proxy.host', 'is not a host'],
    [{ proxy: { host: 'proxy:3128', port: 1 } }, 'proxy.host', 'is not a host'],
    [{ proxy: { host: 'pro xy', port: 1 } }, 'proxy.host', 'is not a host'],
    [{ proxy: { host: 'u@proxy', port: 1 } }, 'proxy.host', 'is not a host'],
    [{ proxy: { host: 'p', port: 0 } }, 'proxy.port', 'is 0'],
    [
      { proxy: { host: 'p', port: 1, auth: { openid_token: 'a\nb' } } },
      'proxy.auth.openid_token',
      'has the wrong form',
    ],
    [{ proxy: { host: 'p', port: 1, auth: { user: 'a:b', password: '' } } }, 'proxy.auth.user', 'has the wrong form'],
    [
      { proxy: { host: 'p', port: 1, auth: { password: 'b' } } },
      'proxy.auth',
      'has user or password without the other',
    ],
    [{ proxy: { host: 'p', port: 1, auth: { tls_client_cert: '-----BEGIN ' } } }, 'proxy.auth', 'without the other'],
    // What selects documents.
    [{ channels: [] }, 'channels', 'is empty'],
    [{ channels: ['a,b'] }, 'channels[0]', 'is "a,b". It must be the name of a channel'],
    [{ channels: ['a\0b'] }, 'channels[0]', 'It must be the name of a channel'],
    [{ channels: ['x'.repeat(70_000)] }, 'channels', 'takes 70000 bytes'],
    [{ doc_ids: [] }, 'doc_ids', 'is empty'],
    [{ doc_ids: ['_design'] }, 'doc_ids[0]', 'cannot be a document ID'],
    [{ doc_ids: ['a', 'x'.repeat(241)] }, 'doc_ids[1]', 'cannot be a document ID'],
    [{ doc_ids: ['\ud800'] }, 'doc_ids[0]', 'cannot be a document ID'],
    [{ collections: { a: { channels: [] } } }, 'collections.a.channels', 'is empty'],
    [{ collections: { a: { doc_ids: ['_x'] } } }, 'collections.a.doc_ids[0]', 'cannot be a document ID'],
    // What this server has.
    [{ source: 'shop' }, 'collections', 'is missing, which means _default, which the database "shop" does not share'],
    [
      { source: 'shop', collections: ['till', 'stock.other'] },
      'collections',
      'has stock.other, which the database "shop"',
    ],
  ])('%j', (change, key, problem) => {
    const definition = { ...ITEM, ...change };
    const issues = issuesOf(definition).join('\n');
    expect(issues).toContain(`edge.json5: replications[0].${key}: `);
    expect(issues).toContain(problem);
    const reason = reasonOf(definition);
    expect(reason).toContain(`${key} `);
    expect(reason).toContain(problem);
    expect(issues + reason).not.toContain('secret');
  });
});

describe('a definition', () => {
  it.each<object>([
    { target: 'wss://u:p%40ss@cloud:4984/prefix/db%20name?x=1' },
    { target: 'ws://[::1]:4984/db' },
    { headers: { 'X-Plant': 'Süd', 'User-Agent': 'mine' } },
    { headers: { Authorization: 'Custom x', Cookie: 'a=b' } },
    { auth: { session_cookie: 'SyncGatewaySession=0f1e; Other=1' } },
    { auth: { user: 'ü😀', password: 'p:ä😀' } },
    { proxy: { host: '[fd00::1]', port: 3128 } },
    { proxy: { host: 'proxy.plant.example', port: 3128, auth: { user: 'u', password: '' } } },
    { channels: ['*', 'ä😀'], doc_ids: ['a', 'ä😀'] },
    { source: 'shop', collections: ['stock.items', '_default.till'] },
  ])('may be %j', (change) => {
    expect(issuesOf({ ...ITEM, ...change })).toEqual([]);
    expect(reasonOf({ ...ITEM, ...change })).toBe('');
  });

  it('whose proxy is an IPv6 address is read without the brackets', () => {
    const result = read({ ...ITEM, proxy: { host: '[::1]', port: 1 } });
    expect(result.ok && result.value.replications[0]!.proxy!.host).toBe('::1');
  });

  it('with headers that are accepted can always be sent', () => {
    const name = fc.string({ unit: 'binary', maxLength: 6 });
    const value = fc.string({ unit: 'binary', maxLength: 6 });
    fc.assert(
      fc.property(name, value, (name, value) => {
        if (issuesOf({ ...ITEM, headers: { [name]: value } }).length > 0) return;
        validateHeaderName(name);
        validateHeaderValue(name, value);
      }),
    );
  });

  it('with a user name and password in the URL is accepted only if they can be decoded', () => {
    const part = fc.string({ unit: fc.constantFrom('a', '%', '2', 'F', 'f', '5', 'z', ':', 'é'), maxLength: 8 });
    fc.assert(
      fc.property(part, part, (user, password) => {
        const target = `ws://${user}:${password}@cloud/db`;
        if (issuesOf({ ...ITEM, target }).length > 0) return;
        const url = new URL(target);
        expect(() => decodeURIComponent(url.username) + decodeURIComponent(url.password)).not.toThrow();
      }),
    );
  });

  it('is warned of keys that have no effect', () => {
    const warningsOf = (change: object): string[] => {
      const result = read({ ...ITEM, ...change });
      expect(result.ok).toBe(true);
      return result.warnings.map(({ path, problem }) => `${path} ${problem}`);
    };
    expect(warningsOf({})).toEqual([]);
    expect(warningsOf({ target: 'ws://cloud/db', pinned_cert: 'a.pem', trusted_root_certs: 'b.pem' })).toEqual([
      'replications[0].pinned_cert has no effect: the remote server is reached without TLS',
      'replications[0].trusted_root_certs has no effect: the remote server is reached without TLS',
    ]);
    expect(warningsOf({ auth: { openid_token: 'a', reconnect_on_token_change: true } })).toEqual([
      'replications[0].auth.reconnect_on_token_change has no effect: no file holds the token',
    ]);
    expect(warningsOf({ channels: ['a'] })).toEqual(['replications[0].channels has no effect: nothing is pulled']);
    expect(warningsOf({ channels: ['a'], bidirectional: true })).toEqual([]);
  });
});

describe('several definitions', () => {
  const issues = (config: object): string[] => {
    const result = readConfig(JSON.stringify(config), { file: 'edge.json5' });
    return result.ok ? [] : result.issues.map(formatIssue);
  };

  it('are not the same twice', () => {
    expect(issues({ databases: DATABASES, replications: [ITEM, { ...ITEM, bidirectional: true }, ITEM] })).toEqual([
      'edge.json5: replications[2]: is the same as replications[0]. Remove one of them.',
    ]);
  });

  it('are checked all at once, also when other parts of the file are wrong', () => {
    const config = {
      databases: { plant: { path: 'plant' } },
      replications: [
        { ...ITEM, source: 'nowhere' },
        { ...ITEM, target: 'https://cloud/db', auth: { session_cookie: '\n' } },
        ITEM,
        { source: 'ws://a/b', target: 'plant', headers: { Host: 'x' } },
      ],
      nonsense: 1,
    };
    expect(issues(config).map((issue) => issue.split(': ')[1])).toEqual([
      'nonsense',
      'databases.plant.path',
      'replications[1].target',
      'replications[1].auth.session_cookie',
      'replications[3].headers.Host',
      'replications[0].source',
    ]);
  });
});
