import { expect, it } from 'vitest';
import { DEFAULT, withMethods, World } from '../testing/world.js';

it('ends when the connection is lost while a change waits for an earlier one of the same document', async () => {
  let written = (): void => {};
  const reached = new Promise<void>((resolve) => (written = resolve));
  await using server = await World.open({
    wrap: (storage) =>
      withMethods(storage, {
        write: () => {
          written();
          return new Promise(() => {});
        },
      }),
  });
  await using client = await World.open();
  const first = await client.put('doc', { n: 1 });
  const replication = await server.replicate(client, { continuous: true });
  await reached;
  await client.put('doc', { n: 2 }, { expect: first.rev });
  await expect.poll(() => replication.pending).toBe(2);
  const { connection } = server.sessions[0]!.link;
  await connection.close(4001, 'restart');
  expect(await replication.ended).toMatchObject({ close: { code: 4001, by: 'peer' } });
  expect(replication.isIdle).toBe(false);
  expect((await client.storage.collection(DEFAULT)).lastSequence).toBe(2);
});

it('keeps its place before a revision that is under way when the log has nothing behind it', async () => {
  await using server = await World.open({
    wrap: (storage) => withMethods(storage, { write: () => new Promise(() => {}) }),
  });
  await using client = await World.open();
  await client.put('doc', { n: 1 });
  const replication = await server.replicate(client, { continuous: true });
  await expect.poll(() => replication.traffic.sent).toBe(1);
  expect(replication.pushed).toEqual([0]);
  await replication.link.connection.close(4001, '');
  await replication.ended;
});

it('R28 asks again for a revision that could not be stored because of a fault of ours', async () => {
  let isFaulty = true;
  await using server = await World.open();
  await using client = await World.open({
    wrap: (storage) =>
      withMethods(storage, {
        write: (database, requests) => {
          if (isFaulty) throw new TypeError('a fault');
          return storage.write(database, requests);
        },
      }),
  });
  await server.put('doc', { n: 1 });
  const failed: unknown[] = [];
  const options = { push: false, onDocumentError: (...all: unknown[]) => void failed.push(all) };
  const first = await server.replicate(client, options);
  await first.ended;
  expect([first.deferred, failed]).toEqual([1, []]);
  isFaulty = false;
  const second = await server.replicate(client, options);
  expect((await second.ended).error).toBeUndefined();
  expect(second.deferred).toBe(0);
  expect(await client.documents()).toEqual({ doc: '{"n":1}' });
});
