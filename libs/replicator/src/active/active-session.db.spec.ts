import { describe, expect, it } from 'vitest';
import { DATABASE, DEFAULT, World } from '../testing/world.js';

describe.each([
  { version: 4 as const, withoutCollections: false },
  { version: 3 as const, withoutCollections: false },
  { version: 3 as const, withoutCollections: true },
  { version: 2 as const, withoutCollections: true },
])('a replication with %j', (form) => {
  it('makes both databases equal, and finds nothing to do the second time', async () => {
    await using server = await World.open();
    await using client = await World.open();
    for (let index = 0; index < 250; index++) await client.put(`client ${index}`, { index });
    for (let index = 0; index < 250; index++) await server.put(`server ${index}`, { index });
    const gone = await server.put('gone', { index: 0 });
    await server.put('gone', {}, { expect: gone.rev, deleted: true });

    const first = await server.replicate(client, form);
    expect(await first.ended).toEqual({ close: { code: 1000, reason: '', by: 'us' } });
    expect(Object.keys(await server.documents())).toHaveLength(501);
    expect(await client.documents()).toEqual(await server.documents());
    expect(first.traffic).toEqual({ sent: 250, received: 251 });

    const second = await server.replicate(client, form);
    expect((await second.ended).error).toBeUndefined();
    expect(second.traffic).toEqual({ sent: 0, received: 0 });
    expect(server.faults.concat(client.faults)).toEqual([]);
  });

  it('carries edits and deletions both ways while it is continuous', async () => {
    await using server = await World.open();
    await using client = await World.open();
    const doc = await client.put('doc', { n: 1 });
    const replication = await server.replicate(client, { ...form, continuous: true });
    await replication.whenIdle();
    expect(await server.documents()).toEqual({ doc: '{"n":1}' });

    const edited = await server.put('doc', { n: 2 }, { expect: (await server.storage.read(DEFAULT, ['doc']))[0]!.rev });
    await until(async () => (await client.documents())['doc'] === '{"n":2}');
    const [pulled] = await client.storage.read(DEFAULT, ['doc']);
    if (form.version < 4) expect(pulled!.rev).toBe(edited.rev);
    else expect(pulled!.vector).toBe(edited.vector);
    expect(doc.rev).not.toBe(edited.rev);

    await client.put('doc', {}, { expect: pulled!.rev, deleted: true });
    await until(async () => (await server.documents())['doc'] === 'deleted');
    await replication.stop();
  });

  it('R26 resolves a conflict alike on both sides, in one run', async () => {
    await using server = await World.open();
    await using client = await World.open();
    const base = await client.put('doc', { n: 0 });
    await (
      await server.replicate(client, form)
    ).ended;
    const [known] = await server.storage.read(DEFAULT, ['doc']);
    await server.put('doc', { by: 'server' }, { expect: known!.rev });
    await client.put('doc', { by: 'client' }, { expect: base.rev });

    await (
      await server.replicate(client, form)
    ).ended;
    const [atServer] = await server.storage.read(DEFAULT, ['doc']);
    const [atClient] = await client.storage.read(DEFAULT, ['doc']);
    expect(atServer!.body).toBe(atClient!.body);
    if (form.version < 4) expect(atServer!.rev).toBe(atClient!.rev);
    const again = await server.replicate(client, form);
    await again.ended;
    expect(again.traffic).toEqual({ sent: 0, received: 0 });
  });

  it('carries blobs', async () => {
    await using server = await World.open();
    await using client = await World.open();
    const large = new Uint8Array(300_000).map((_, index) => (index * 7919) >> 3);
    const up = await client.storage.putBlob(DATABASE, large);
    const down = await server.storage.putBlob(DATABASE, new TextEncoder().encode('Hello blob!'));
    await client.put('up', { pic: { '@type': 'blob', content_type: 'image/png', ...up } });
    await server.put('down', { pic: { '@type': 'blob', content_type: 'text/plain', ...down } });
    const replication = await server.replicate(client, form);
    expect((await replication.ended).error).toBeUndefined();
    expect(await server.documents()).toEqual(await client.documents());
    expect(await server.storage.missingBlobs(DATABASE, [up.digest])).toEqual([]);
    expect(await client.storage.missingBlobs(DATABASE, [down.digest])).toEqual([]);
  });
});

/** Waits for a state that comes about by itself. */
async function until(condition: () => Promise<boolean>): Promise<void> {
  while (!(await condition())) await new Promise((resolve) => setImmediate(resolve));
}
