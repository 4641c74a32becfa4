import { systemScheduler } from '@edgesync/async';
import { readUsers, type Users } from '@edgesync/config';
import { parseKeyspace } from '@edgesync/document';
import { ActiveSession, type ActiveSessionOptions, StoredCheckpoints } from '@edgesync/replicator';
import { BlipConnection, Properties, type BlipReply } from '@edgesync/blip';
import { dial } from '@edgesync/socket-ws';
import { describe, expect, it } from 'vitest';
import { contextOf, rawUpgrade, runServer, temporaryStorage, type RunningServer } from '../testing/running-server.js';

/** The hash of "geheim". */
const password = '$2y$05$abcdefghijklmnopqrstuuVWu8RjbNovPZWAMRdd7iqaaG0mI53Uu';
const USERS = {
  admin: { password, roles: ['admin'], access: {} },
  unrestricted: { password },
  powerless: { password, access: {} },
  reader: { password, access: { 'db.*': ['read'] } },
  dropBox: { password, access: { 'db.*': ['write'] } },
  mixed: { password, access: { 'db.open': ['read', 'write'], 'db.look': ['read'], 'db.drop': ['write'] } },
  elsewhere: { password, access: { 'db.gone': ['read', 'write'] } },
  everywhere: { password, access: { '*': ['read', 'write'] } },
};
const COLLECTIONS = ['open', 'look', 'drop', 'closed'];
const database = { path: '/tmp/db.cblite2', create: true, enable_client_sync: true, collections: COLLECTIONS };
const CONFIG = {
  enable_anonymous_users: true,
  enable_user_access_control: true,
  databases: { db: database, shut: { path: '/tmp/shut.cblite2', create: true } },
};

function usersOf(entries: object): Users {
  const read = readUsers(JSON.stringify(entries), 'users.json');
  if (!read.ok) throw new Error('the example is faulty');
  return read.value;
}

function credentials(name: string): Record<string, string> {
  if (name === 'anonymous') return {};
  return { Authorization: `Basic ${Buffer.from(`${name}:geheim`).toString('base64')}` };
}

async function statusFor(server: RunningServer, path: string, headers: Record<string, string>): Promise<number> {
  const { head, socket } = await rawUpgrade(server.port, path, headers);
  socket.destroy();
  return Number(head.split(' ')[1]);
}

type Client = Awaited<ReturnType<typeof temporaryStorage>>;

async function replicate(
  server: RunningServer,
  client: Client,
  name: string,
  collections: readonly string[],
  options: Partial<ActiveSessionOptions> = {},
): Promise<ActiveSession> {
  const transport = await dial(`ws://127.0.0.1:${server.port}/db/_blipsync`, {
    protocols: ['BLIP_3+CBMobile_4'],
    headers: credentials(name),
  });
  return new ActiveSession(transport, {
    context: contextOf(client),
    version: 4,
    database: 'db',
    collections: collections.map((collection) => ({
      local: parseKeyspace(`db.${collection}`),
      checkpointId: `cp-${collection}`,
    })),
    push: false,
    pull: false,
    continuous: false,
    checkpoints: new StoredCheckpoints(client),
    ...options,
  });
}

async function connect(server: RunningServer, name: string): Promise<BlipConnection> {
  const transport = await dial(`ws://127.0.0.1:${server.port}/db/_blipsync`, {
    protocols: ['BLIP_3+CBMobile_4'],
    headers: credentials(name),
  });
  return new BlipConnection(transport, { scheduler: systemScheduler, onRequest: () => {} });
}

function ask(connection: BlipConnection, properties: Record<string, string>, body: unknown): Promise<BlipReply> {
  return connection.request({ properties: Properties.from(properties), body: Buffer.from(JSON.stringify(body)) });
}

const newClient = (): Promise<Client> =>
  temporaryStorage([{ name: 'db', collections: COLLECTIONS.map((collection) => ({ scope: '_default', collection })) }]);

async function write(storage: Client | RunningServer['storage'], keyspace: string, id: string): Promise<void> {
  await storage.write('db', [{ type: 'edit', keyspace: parseKeyspace(keyspace), id, deleted: false, body: '{}' }]);
}

const idsIn = async (storage: Client | RunningServer['storage'], keyspace: string): Promise<string[]> =>
  (await storage.list(parseKeyspace(keyspace), { limit: 100 })).rows.map(({ id }) => id);

// docs/protocol/edge-server.md#rights-in-sync
describe('the upgrade under access control', () => {
  it.each([
    ['admin', 101, 404, 403],
    ['unrestricted', 101, 404, 403],
    ['everywhere', 101, 404, 403],
    ['reader', 101, 403, 403],
    ['mixed', 101, 403, 403],
    ['dropBox', 403, 403, 403],
    ['elsewhere', 403, 403, 403],
    ['powerless', 403, 403, 403],
    ['anonymous', 403, 403, 403],
  ])('answers %s with %i, where nothing is with %i, where sync is off with %i', async (name, open, nothing, off) => {
    await using server = await runServer(CONFIG, usersOf(USERS));
    const headers = credentials(name);
    const statuses = ['/db/_blipsync', '/nothing/_blipsync', '/shut/_blipsync'].map((path) =>
      statusFor(server, path, headers),
    );
    expect(await Promise.all(statuses)).toEqual([open, nothing, off]);
  });

  it('gives the same answer for a forbidden name as for one that stands for nothing', async () => {
    await using server = await runServer(CONFIG, usersOf(USERS));
    const answers = await Promise.all(
      ['/shut/_blipsync', '/nothing/_blipsync'].map((path) => rawUpgrade(server.port, path, credentials('reader'))),
    );
    for (const { socket } of answers) socket.destroy();
    expect(answers[0]!.head).toBe(answers[1]!.head);
    expect(answers[0]!.body).toBe(answers[1]!.body);
  });
});

// docs/protocol/edge-server.md#rights-in-sync
describe('a session under access control', () => {
  it('lets a reader pull', async () => {
    await using server = await runServer(CONFIG, usersOf(USERS));
    await using client = await newClient();
    await write(server.storage, 'db.look', 'from the server');
    const pull = await replicate(server, client, 'mixed', ['look'], { pull: true });
    expect((await pull.ended).error).toBeUndefined();
    expect(await idsIn(client, 'db.look')).toEqual(['from the server']);
  });

  it('refuses the push of a reader before anything is sent', async () => {
    await using server = await runServer(CONFIG, usersOf(USERS));
    const connection = await connect(server, 'mixed');
    const collections = { collections: ['open', 'look'], checkpoint_ids: ['a', 'b'] };
    await ask(connection, { Profile: 'getCollections' }, collections);
    const changes = [['1@abc', 'doc', '']];
    const offers = ['0', '1'].map((collection) => ask(connection, { Profile: 'proposeChanges', collection }, changes));
    const [allowed, refused] = await Promise.all(offers);
    expect(allowed!.error).toBeUndefined();
    expect(refused!.error).toEqual({
      domain: 'HTTP',
      code: 403,
      message: 'Attempting to push to a pull-only replicator',
    });
    await connection.close();
  });

  it('lets a user with both rights push and pull', async () => {
    await using server = await runServer(CONFIG, usersOf(USERS));
    await using client = await newClient();
    await write(client, 'db.open', 'from the client');
    await write(server.storage, 'db.open', 'from the server');
    const sync = await replicate(server, client, 'mixed', ['open'], { push: true, pull: true });
    expect((await sync.ended).error).toBeUndefined();
    for (const storage of [client, server.storage])
      expect(await idsIn(storage, 'db.open')).toEqual(['from the client', 'from the server']);
  });

  it.each(['drop', 'closed', 'nowhere'])(
    'shows %s, which the user cannot read, as one that does not exist',
    async (name) => {
      await using server = await runServer(CONFIG, usersOf(USERS));
      await using client = await newClient();
      const replication = await replicate(server, client, 'mixed', ['open', name], { pull: true });
      expect((await replication.ended).error).toMatchObject({ info: { code: 404 } });
    },
  );
});

describe('a session whose user changes', () => {
  it.each([
    ['is removed', undefined, 401],
    ['has another password', { ...USERS.reader, password: `${password.slice(0, -1)}v` }, 401],
    ['may do nothing any more', { password, access: {} }, 403],
    ['may do more', { password, access: { 'db.*': ['read', 'write'] } }, 101],
  ])('ends with 4001 when the user %s, and comes back as who they are now', async (_, entry, status) => {
    await using server = await runServer(CONFIG, usersOf(USERS));
    await using client = await newClient();
    const [changed, unchanged] = await Promise.all(
      ['reader', 'mixed'].map((name) => replicate(server, client, name, ['look'], { pull: true, continuous: true })),
    );
    await Promise.all([changed!.whenIdle(), unchanged!.whenIdle()]);
    const { reader: _reader, ...others } = USERS;
    server.authenticator.replaceUsers(usersOf({ ...others, ...(entry && { reader: entry }) }));
    expect((await changed!.ended).close).toEqual({ code: 4001, reason: 'the user was changed or removed', by: 'peer' });
    expect(await statusFor(server, '/db/_blipsync', credentials('reader'))).toBe(status);
    await write(server.storage, 'db.look', 'still coming');
    await expect.poll(() => idsIn(client, 'db.look')).toEqual(['still coming']);
    await unchanged!.stop();
  });
});
