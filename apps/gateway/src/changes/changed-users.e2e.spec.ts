import { describe, expect, it } from 'vitest';
import { readUsers, type Users } from '@edgesync/config';
import { AUTHENTICATOR, hashPassword, type Authenticator } from '@edgesync/platform';
import { startGateway, type TestGateway } from '../testing/start-gateway.js';

const authorization = (name: string) => `Basic ${Buffer.from(`${name}:geheim`).toString('base64')}`;

function usersOf(entries: object): Users {
  const read = readUsers(JSON.stringify(entries), 'users.json');
  if (!read.ok) throw new Error('the example is faulty');
  return read.value;
}

/** Opens a feed that waits. */
async function openFeed(gateway: TestGateway, name: string, feed: string): Promise<Response> {
  const response = await fetch(`${gateway.url}/db/_changes?feed=${feed}`, {
    headers: { authorization: authorization(name) },
  });
  expect(response.status).toBe(200);
  return response;
}

describe('a feed whose user changes', () => {
  it.each([
    ['continuous', 'is removed', undefined, 401],
    ['eventsource', 'may not read any more', { access: {} }, 403],
    ['longpoll', 'may do more', { access: { 'db.*': ['read', 'write'] } }, 200],
  ])('(%s) ends when the user %s; those of others go on', async (feed, _, changed, status) => {
    const password = await hashPassword('geheim');
    const reader = { password, access: { 'db.*': ['read'] } };
    const config = { users: 'users.json', enable_anonymous_users: false, enable_user_access_control: true };
    await using gateway = await startGateway({ config, users: { alice: reader, bob: reader } });
    const [alice, bob] = await Promise.all([openFeed(gateway, 'alice', feed), openFeed(gateway, 'bob', 'longpoll')]);
    const authenticator = gateway.app.get<Authenticator>(AUTHENTICATOR);
    authenticator.replaceUsers(usersOf({ bob: reader, ...(changed && { alice: { password, ...changed } }) }));
    await alice.text();
    const again = await fetch(`${gateway.url}/db/_changes`, { headers: { authorization: authorization('alice') } });
    expect(again.status).toBe(status);
    const keyspace = { database: 'db', scope: '_default', collection: '_default' };
    await gateway.storage.write('db', [{ type: 'edit', keyspace, id: 'news', deleted: false, body: '{}' }]);
    expect(await bob.json()).toMatchObject({ results: [{ id: 'news' }] });
  });
});
