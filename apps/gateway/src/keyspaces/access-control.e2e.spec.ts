import { createHash } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { hashPassword, VERSION } from '@edgesync/platform';
import type { ReplicationControl } from '@edgesync/ports';
import { CONTROLLERS } from '../gateway.module.js';
import { buildOpenApi } from '../openapi/build-openapi.js';
import { CheckedClient, type Answer } from '../testing/checked-client.js';
import { startGateway, type TestGateway } from '../testing/start-gateway.js';

/** Every kind of user (docs/protocol/edge-server.md#access-rules), by name, with the rules of the users file. */
const USERS = {
  admin: { roles: ['admin'], access: {} },
  replicator: { roles: ['replicate'], access: {} },
  unrestricted: {},
  powerless: { access: {} },
  reader: { access: { 'db.*': ['read'] } },
  dropBox: { access: { 'db.*': ['write'] } },
  scoped: { access: { 'db.shop.*': ['read', 'write'] } },
  mixed: { access: { db: ['read'], 'db.things': ['write'], 'frozen.*': ['read', 'write'] } },
  everywhere: { access: { '*': ['read', 'write'] } },
};
type Who = keyof typeof USERS | 'anonymous';
const WHO = [...(Object.keys(USERS) as (keyof typeof USERS)[]), 'anonymous'] as const;

/** Keyspaces that exist, and two that do not. `frozen` takes no writes over REST. */
const KEYSPACES = ['db', 'db.things', 'db.shop.orders', 'frozen', 'db.nowhere', 'nowhere'] as const;
type KeyspaceName = (typeof KEYSPACES)[number];

/** Rights of each, keyspace by keyspace: r, w, both or nothing. Written down, not computed. */
const RIGHTS: Record<Who, Record<KeyspaceName, string>> = {
  admin: { db: 'rw', 'db.things': 'rw', 'db.shop.orders': 'rw', frozen: 'rw', 'db.nowhere': 'rw', nowhere: 'rw' },
  replicator: { db: '', 'db.things': '', 'db.shop.orders': '', frozen: '', 'db.nowhere': '', nowhere: '' },
  unrestricted: {
    db: 'rw',
    'db.things': 'rw',
    'db.shop.orders': 'rw',
    frozen: 'rw',
    'db.nowhere': 'rw',
    nowhere: 'rw',
  },
  powerless: { db: '', 'db.things': '', 'db.shop.orders': '', frozen: '', 'db.nowhere': '', nowhere: '' },
  reader: { db: 'r', 'db.things': 'r', 'db.shop.orders': 'r', frozen: '', 'db.nowhere': 'r', nowhere: '' },
  dropBox: { db: 'w', 'db.things': 'w', 'db.shop.orders': 'w', frozen: '', 'db.nowhere': 'w', nowhere: '' },
  scoped: { db: '', 'db.things': '', 'db.shop.orders': 'rw', frozen: '', 'db.nowhere': '', nowhere: '' },
  mixed: { db: 'r', 'db.things': 'w', 'db.shop.orders': '', frozen: 'rw', 'db.nowhere': '', nowhere: '' },
  everywhere: { db: 'rw', 'db.things': 'rw', 'db.shop.orders': 'rw', frozen: 'rw', 'db.nowhere': 'rw', nowhere: 'rw' },
  anonymous: { db: '', 'db.things': '', 'db.shop.orders': '', frozen: '', 'db.nowhere': '', nowhere: '' },
};

/** Databases that `_all_dbs` shows to each. */
const DATABASES: Record<Who, string[]> = {
  admin: ['db', 'frozen', 'partial'],
  replicator: [],
  unrestricted: ['db', 'frozen', 'partial'],
  powerless: [],
  reader: ['db'],
  dropBox: ['db'],
  scoped: ['db'],
  mixed: ['db', 'frozen'],
  everywhere: ['db', 'frozen', 'partial'],
  anonymous: [],
};

/** Collections that `GET /db` shows to each; undefined: 403. */
const COLLECTIONS: Record<Who, string[] | undefined> = {
  admin: ['_default', '_default.things', 'shop.orders'],
  replicator: undefined,
  unrestricted: ['_default', '_default.things', 'shop.orders'],
  powerless: undefined,
  reader: ['_default', '_default.things', 'shop.orders'],
  dropBox: ['_default', '_default.things', 'shop.orders'],
  scoped: ['shop.orders'],
  mixed: ['_default', '_default.things'],
  everywhere: ['_default', '_default.things', 'shop.orders'],
  anonymous: undefined,
};

/** A document that exists wherever its keyspace does. */
interface Target {
  readonly path: string;
  readonly id: string;
  readonly rev: string;
}

interface Operation {
  readonly needs: 'r' | 'w';
  /** The status when it is allowed and the keyspace exists. */
  readonly status: number;
  send(client: CheckedClient, target: Target): Promise<Answer>;
}

/** Operations on collections, by method and path of the API document. */
const ON_KEYSPACES: Record<string, Operation> = {
  'post /{keyspace}': { needs: 'w', status: 201, send: (client, { path }) => client.post(path, {}) },
  'get /{keyspace}/_all_docs': { needs: 'r', status: 200, send: (client, { path }) => client.get(`${path}/_all_docs`) },
  'post /{keyspace}/_all_docs': {
    needs: 'r',
    status: 200,
    send: (client, { path }) => client.post(`${path}/_all_docs`, {}),
  },
  'get /{keyspace}/_changes': { needs: 'r', status: 200, send: (client, { path }) => client.get(`${path}/_changes`) },
  'post /{keyspace}/_changes': {
    needs: 'r',
    status: 200,
    send: (client, { path }) => client.post(`${path}/_changes`, {}),
  },
  'post /{keyspace}/_bulk_docs': {
    needs: 'w',
    status: 201,
    send: (client, { path }) => client.post(`${path}/_bulk_docs`, { docs: [{}] }),
  },
  'get /{keyspace}/{docid}': { needs: 'r', status: 200, send: (client, { path, id }) => client.get(`${path}/${id}`) },
  'put /{keyspace}/{docid}': {
    needs: 'w',
    status: 201,
    send: (client, { path, id, rev }) => client.put(`${path}/${id}?rev=${rev}`, {}),
  },
  'delete /{keyspace}/{docid}': {
    needs: 'w',
    status: 200,
    send: (client, { path, id, rev }) => client.delete(`${path}/${id}?rev=${rev}`),
  },
  'get /{keyspace}/{docid}/{key}': {
    needs: 'r',
    status: 200,
    send: (client, { path, id }) => client.get(`${path}/${id}/picture`),
  },
  'put /{keyspace}/{docid}/{key}': {
    needs: 'w',
    status: 201,
    send: (client, { path, id, rev }) => client.put(`${path}/${id}/colour?rev=${rev}`, '"red"', JSON_TYPE),
  },
  'delete /{keyspace}/{docid}/{key}': {
    needs: 'w',
    status: 200,
    send: (client, { path, id, rev }) => client.delete(`${path}/${id}/picture?rev=${rev}`),
  },
  'get /{keyspace}/{docid}/_attachments/{name}': {
    needs: 'r',
    status: 200,
    send: (client, { path, id }) => client.get(`${path}/${id}/_attachments/${ATTACHMENT}`),
  },
};

/** Operations that do not concern rights on a collection, tried one by one below. */
const OTHERS = [
  'get /',
  'get /_all_dbs',
  'get /_health',
  'get /_ready',
  'get /_metrics',
  'get /_active_tasks',
  'get /_replicate',
  'post /_replicate',
  'get /_replicate/{task}',
  'delete /_replicate/{task}',
  'get /_openapi.json',
  'get /_docs',
  'get /{keyspace}',
  'get /{keyspace}/_blipsync',
  'get /{keyspace}/_query',
  'post /{keyspace}/_query',
  'post /{keyspace}/_explain',
  'get /{keyspace}/_query/{query}',
  'post /{keyspace}/_query/{query}',
];

const JSON_TYPE = { headers: { 'content-type': 'application/json' } };
/** Says which right is missing, and nothing of the keyspace. */
const missing = (right: string): object => ({
  status: 403,
  error: 'Forbidden',
  reason: `forbidden: ${right} this keyspace is missing`,
});
const READ_MISSING = missing('the right to read');
const WRITE_MISSING = missing('the right to write');
const ANY_MISSING = missing('any right in');

/** Says that everything went well, and replicates nothing. */
const REPLICATIONS: ReplicationControl = {
  start: () => Promise.resolve(1),
  list: () => Promise.resolve([]),
  status: () => Promise.resolve(undefined),
  delete: () => Promise.resolve(true),
};

let gateway: TestGateway;
let clients: Record<Who, CheckedClient>;
let documents = 0;
const BLOB = Buffer.from('bytes');
const LEGACY_BLOB = Buffer.from('bytes of an attachment');
const referenceTo = (bytes: Buffer) => ({
  content_type: 'image/png',
  digest: `sha1-${createHash('sha1').update(bytes).digest('base64')}`,
  length: bytes.length,
});
const ATTACHMENT = 'file';
const BODY = {
  picture: { '@type': 'blob', ...referenceTo(BLOB) },
  _attachments: { [ATTACHMENT]: { ...referenceTo(LEGACY_BLOB), stub: true, revpos: 1 } },
};

beforeAll(async () => {
  const password = await hashPassword('geheim');
  const users = Object.fromEntries(Object.entries(USERS).map(([name, user]) => [name, { password, ...user }]));
  const config = { users: 'users.json', enable_user_access_control: true };
  gateway = await startGateway({ config, users, replications: REPLICATIONS });
  const basic = (name: Who): Record<string, string> =>
    name === 'anonymous' ? {} : { authorization: `Basic ${Buffer.from(`${name}:geheim`).toString('base64')}` };
  clients = Object.fromEntries(WHO.map((who) => [who, new CheckedClient(gateway.url, basic(who))])) as typeof clients;
  await makeLasting();
});
afterAll(() => gateway[Symbol.asyncDispose]());

/** First what the user may do, then what there is, then what the database takes. */
function expectedStatus({ needs, status }: Operation, who: Who, keyspace: KeyspaceName): number {
  if (!RIGHTS[who][keyspace].includes(needs)) return 403;
  if (keyspace === 'nowhere') return 404;
  if (keyspace === 'frozen' && needs === 'w') return 403;
  return keyspace === 'db.nowhere' ? 404 : status;
}

/** The document that reads and refused writes are tried on; none where the keyspace does not exist. */
const lasting = new Map<KeyspaceName, Target>();

/** A new document with a blob. */
async function newTarget(keyspace: KeyspaceName): Promise<Target> {
  const path = `/${keyspace}`;
  const id = `doc-${documents++}`;
  const { json } = await clients.admin.put(`${path}/${id}`, BODY);
  return { path, id, rev: json.rev as string };
}

async function makeLasting(): Promise<void> {
  for (const database of ['db', 'frozen'])
    for (const bytes of [BLOB, LEGACY_BLOB]) await gateway.storage.putBlob(database, bytes);
  for (const keyspace of ['db', 'db.things', 'db.shop.orders'] as const)
    lasting.set(keyspace, await newTarget(keyspace));
  lasting.set('frozen', await writeFrozen());
  for (const keyspace of ['db.nowhere', 'nowhere'] as const)
    lasting.set(keyspace, { path: `/${keyspace}`, id: 'doc', rev: lasting.get('db')!.rev });
}

/** Writes past REST, which `frozen` is closed for. */
async function writeFrozen(): Promise<Target> {
  const keyspace = { database: 'frozen', scope: '_default', collection: '_default' };
  const body = JSON.stringify(BODY);
  const [written] = await gateway.storage.write('frozen', [
    { type: 'edit', keyspace, id: 'doc', deleted: false, body },
  ]);
  return { path: '/frozen', id: 'doc', rev: (written as { rev: string }).rev };
}

// docs/protocol/edge-server.md#what-a-request-needs
describe('every endpoint and every kind of user', () => {
  const cases = Object.entries(ON_KEYSPACES).flatMap(([name, operation]) =>
    WHO.map((who) => [name, who, operation] as const),
  );

  it.each(cases)('%s by %s', async (name, who, operation) => {
    for (const keyspace of KEYSPACES) {
      const status = expectedStatus(operation, who, keyspace);
      const writes = operation.needs === 'w' && status < 300;
      const target = writes ? await newTarget(keyspace) : lasting.get(keyspace)!;
      const answer = await operation.send(clients[who], target);
      expect(`${keyspace}: ${answer.status}`).toBe(`${keyspace}: ${status}`);
      if (!RIGHTS[who][keyspace].includes(operation.needs))
        expect(answer.json).toEqual(operation.needs === 'r' ? READ_MISSING : WRITE_MISSING);
      else if (answer.status === 403) expect(answer.json.reason).toBe('writing documents is disabled');
      if (name.startsWith('get')) expect((await clients[who].head(pathOf(name, target))).status).toBe(answer.status);
    }
  });

  it('leaves no endpoint out', () => {
    const { paths } = buildOpenApi(CONTROLLERS, VERSION) as { paths: Record<string, object> };
    const documented = Object.entries(paths).flatMap(([path, item]) =>
      Object.keys(item)
        .filter((method) => method !== 'head')
        .map((method) => `${method} ${path}`),
    );
    expect(documented.sort()).toEqual([...Object.keys(ON_KEYSPACES), ...OTHERS].sort());
  });
});

function pathOf(name: string, { path, id }: Target): string {
  return name
    .replace('get /{keyspace}', path)
    .replace('{docid}', id)
    .replace('{key}', 'picture')
    .replace('{name}', ATTACHMENT);
}

describe.each(WHO)('%s', (who) => {
  it('learns about the server and reads the manual', async () => {
    for (const path of ['/', '/_health', '/_ready', '/_openapi.json', '/_docs'])
      expect((await clients[who].get(path)).status).toBe(200);
  });

  it('reads metrics only as administrator', async () => {
    expect((await clients[who].get('/_metrics')).status).toBe(who === 'admin' ? 200 : 403);
  });

  it('handles replications only with a role for it', async () => {
    const client = clients[who];
    const definition = { source: 'db', target: 'wss://central.example/db' };
    const answers = [
      await client.get('/_replicate'),
      await client.post('/_replicate', definition),
      await client.get('/_replicate/1'),
      await client.delete('/_replicate/1'),
    ];
    const allowed = who === 'admin' || who === 'replicator';
    expect(answers.map(({ status }) => status)).toEqual(allowed ? [200, 202, 404, 200] : [403, 403, 403, 403]);
  });

  it('looks at tasks only with a role for it', async () => {
    const allowed = who === 'admin' || who === 'replicator';
    expect((await clients[who].get('/_active_tasks')).status).toBe(allowed ? 200 : 403);
  });

  it('sees in _all_dbs the databases with a right', async () => {
    expect((await clients[who].get('/_all_dbs')).json).toEqual(DATABASES[who]);
  });

  it('sees in a database the collections with a right', async () => {
    const answer = await clients[who].get('/db');
    const expected = COLLECTIONS[who];
    if (expected) expect(Object.keys(answer.json.collections as object)).toEqual(expected);
    else expect(answer.json).toEqual(ANY_MISSING);
  });

  it('describes a collection with a right, and no other', async () => {
    for (const keyspace of ['db._default', 'db.things', 'db.shop.orders', 'db.nowhere'] as const) {
      const answer = await clients[who].get(`/${keyspace}`);
      const rights = RIGHTS[who][keyspace === 'db._default' ? 'db' : keyspace];
      expect(`${keyspace}: ${answer.status}`).toBe(
        `${keyspace}: ${rights === '' ? 403 : keyspace === 'db.nowhere' ? 404 : 200}`,
      );
    }
  });

  it('learns that there are no queries only where it may read', async () => {
    const client = clients[who];
    for (const keyspace of ['db', 'db.things', 'db.shop.orders'] as const)
      for (const answer of [
        await client.post(`/${keyspace}/_query`, {}),
        await client.get(`/${keyspace}/_query/hotels`),
        await client.post(`/${keyspace}/_query/hotels`, {}),
      ]) {
        expect(answer.status).toBe(403);
        if (RIGHTS[who][keyspace].includes('r')) expect(answer.json.reason).toMatch(/queries/);
        else expect(answer.json).toEqual(READ_MISSING);
      }
  });

  it('is asked for an upgrade at the path of sync of a database with a right', async () => {
    const statuses = ['db', 'partial'].map(async (name) => (await clients[who].get(`/${name}/_blipsync`)).status);
    expect(await Promise.all(statuses)).toEqual(
      ['db', 'partial'].map((name) => (DATABASES[who].includes(name) ? 426 : 403)),
    );
  });

  it('learns the same of a name that stands for nothing as of a forbidden one', async () => {
    const [unknown, forbidden] = [await clients[who].get('/nowhere'), await clients[who].get('/partial')];
    if (DATABASES[who].includes('partial')) expect([unknown.status, forbidden.status]).toEqual([404, 200]);
    else expect([unknown.json, forbidden.json]).toEqual([ANY_MISSING, ANY_MISSING]);
  });
});

describe('a listing that hides collections', () => {
  it('has a tag of its own', async () => {
    const tags = await Promise.all(
      (['admin', 'scoped'] as const).map(async (who) => (await clients[who].get('/db')).headers.etag),
    );
    expect(tags[0]).not.toBe(tags[1]);
    await clients.admin.put(`/db/only-${documents++}`, {});
    expect((await clients.scoped.get('/db')).headers.etag).toBe(tags[1]);
  });
});

describe('the switch of a database', () => {
  it('wins over that of the server, in both directions', async () => {
    const password = await hashPassword('geheim');
    const users = { nobody: { password, access: {} } };
    const authorization = `Basic ${Buffer.from('nobody:geheim').toString('base64')}`;
    for (const [top, own, status] of [
      [true, false, 200],
      [false, true, 403],
    ] as const) {
      await using other = await startGateway({
        config: { users: 'users.json', enable_user_access_control: top },
        database: { enable_user_access_control: own },
        users,
      });
      const client = new CheckedClient(other.url, { authorization });
      expect((await client.get('/db/_all_docs')).status).toBe(status);
      expect((await client.get('/frozen/_all_docs')).status).toBe(top ? 403 : 200);
      expect((await client.get('/nowhere')).status).toBe(403);
    }
  });
});
