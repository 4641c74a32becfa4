import { describe, expect, it } from 'vitest';
import { DEFAULT, World } from '../testing/world.js';

type Version = 3 | 4;

async function edit(world: World, id: string, body: object, deleted = false): Promise<void> {
  const [now] = await world.storage.read(DEFAULT, [id]);
  await world.put(id, body, { ...(now && { expect: now.rev }), deleted });
}

async function sync(server: World, client: World, version: Version): Promise<{ sent: number; received: number }> {
  // One name for the client, whichever copy of it this is.
  const collections = [{ local: DEFAULT, checkpointId: 'cp-client' }];
  const replication = await server.replicate(client, { version, collections });
  expect((await replication.ended).error).toBeUndefined();
  return replication.traffic;
}

/** Both sides write and know of each other. */
async function commonPast(server: World, client: World, version: Version): Promise<void> {
  for (let n = 0; n < 10; n++) {
    await edit(server, `server ${n}`, { n });
    await edit(client, `client ${n}`, { n });
  }
  await sync(server, client, version);
}

/** New documents, changes of each other's, and deletions; replicated. */
async function goOn(server: World, client: World, version: Version): Promise<void> {
  for (let n = 0; n < 5; n++) {
    await edit(server, `server new ${n}`, { n });
    await edit(client, `client new ${n}`, { n });
    await edit(server, `client ${n}`, { changedBy: 'server', n });
    await edit(client, `server ${n}`, { changedBy: 'client', n });
  }
  await edit(server, 'client 9', {}, true);
  await edit(client, 'server 9', {}, true);
  await sync(server, client, version);
  await edit(client, 'client new 0', { again: true });
  await sync(server, client, version);
}

async function expectEqual(server: World, client: World, version: Version): Promise<Record<string, string>> {
  expect(await sync(server, client, version)).toEqual({ sent: 0, received: 0 });
  const documents = await client.documents();
  expect(await server.documents()).toEqual(documents);
  return documents;
}

describe.each([3, 4] as const)('R24: over version %i', (version) => {
  it('a server that was restored gets what it has lost; what it wrote since arrives', async () => {
    await using client = await World.open();
    await using server = await World.open();
    await commonPast(server, client, version);
    const backup = server.backUp();
    await goOn(server, client, version);
    const before = await client.documents();

    await using restored = await World.open({ from: backup });
    for (let n = 0; n < 7; n++) await edit(restored, `after ${n}`, { n });
    await sync(restored, client, version);
    await sync(restored, client, version);
    const after = await expectEqual(restored, client, version);
    expect(after).toMatchObject(before);
    expect(Object.keys(after)).toHaveLength(Object.keys(before).length + 7);
  });

  it('a database here that was restored gets what it has lost; what was written since goes up', async () => {
    await using client = await World.open();
    await using server = await World.open();
    await commonPast(server, client, version);
    const backup = client.backUp();
    await goOn(server, client, version);
    const before = await server.documents();

    await using restored = await World.open({ from: backup });
    for (let n = 0; n < 30; n++) await edit(restored, `after ${n}`, { n });
    await sync(server, restored, version);
    await sync(server, restored, version);
    const after = await expectEqual(server, restored, version);
    expect(after).toMatchObject(before);
    expect(Object.keys(after)).toHaveLength(Object.keys(before).length + 30);
  });

  it('a server that was replaced by another one with documents of its own gets ours, and we get those', async () => {
    await using client = await World.open();
    await using server = await World.open();
    await commonPast(server, client, version);
    await goOn(server, client, version);
    const before = await client.documents();
    await using other = await World.open();
    for (let n = 0; n < 200; n++) await edit(other, `other ${n}`, { n });
    await sync(other, client, version);
    await sync(other, client, version);
    const after = await expectEqual(other, client, version);
    expect(after).toMatchObject(before);
    expect(Object.keys(after)).toHaveLength(Object.keys(before).length + 200);
  });

  it('a server that lost its checkpoints is looked through from the beginning, and nothing is sent', async () => {
    await using client = await World.open();
    await using server = await World.open();
    await commonPast(server, client, version);
    await goOn(server, client, version);
    const collections = [{ local: DEFAULT, checkpointId: 'cp-of-nobody' }];
    const replication = await server.replicate(client, { version, collections });
    expect((await replication.ended).error).toBeUndefined();
    expect(replication.traffic).toEqual({ sent: 0, received: 0 });
  });
});
