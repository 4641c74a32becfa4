import { describe, expect, it } from 'vitest';
import { FakeGateway, type GatewayRow } from '../testing/fake-gateway.js';
import { DATABASE, DEFAULT, World } from '../testing/world.js';

const rev = (generation: number, digit: string): string => `${generation}-${digit.repeat(32)}`;
const received = (gateway: FakeGateway, profile: string): string[] =>
  gateway.received.filter((line) => line.startsWith(`${profile} `) || line.startsWith(`${profile}! `));

describe('messages to a gateway', () => {
  // docs/protocol/replication.md#towards-sync-gateway
  it('how a pull is to be: kind of revisions, size of lists, revocations; where it goes on', async () => {
    await using client = await World.open();
    await client.put('here', {});
    const rows: GatewayRow[] = [{ sequence: '8:3', id: 'a', rev: rev(1, 'a'), body: '{}' }];
    const gateway = new FakeGateway({ rows });
    await gateway.replicate(client).ended;
    await gateway.replicate(client).ended;
    const [first, second] = received(gateway, 'subChanges').map(
      (line) => JSON.parse(line.slice(line.indexOf('{'), line.lastIndexOf('}') + 1)) as Record<string, string>,
    );
    expect(first).toMatchObject({ versioning: 'rev-trees', batch: '200', revocations: 'true', collection: '0' });
    expect(first).not.toHaveProperty('since');
    expect(first).not.toHaveProperty('continuous');
    expect(second).toMatchObject({ since: '"8:3"' });
    await gateway.replicate(client, { version: 4, collections: [{ local: DEFAULT, checkpointId: 'cp-4' }] }).ended;
    expect(received(gateway, 'subChanges')[2]).toContain('"versioning":"version-vectors"');
  });

  // docs/protocol/replication.md#subchanges
  it('channels and document IDs, for each collection its own', async () => {
    await using client = await World.open({ collections: ['shop.stock', 'shop.till'] });
    const gateway = new FakeGateway();
    const local = (collection: string) => ({ database: DATABASE, scope: 'shop', collection });
    await gateway.replicate(client, {
      collections: [
        { local: local('stock'), checkpointId: 'cp-1', channels: ['berlin', 'rome'] },
        { local: local('till'), checkpointId: 'cp-2', docIds: ['one', 'two'] },
        { local: DEFAULT, checkpointId: 'cp-3' },
      ],
    }).ended;
    expect(received(gateway, 'getCollections')[0]).toContain('["shop.stock","shop.till","_default"]');
    const [stock, till, all] = received(gateway, 'subChanges').sort(
      (a, b) => Number(/collection":"(\d)/.exec(a)![1]) - Number(/collection":"(\d)/.exec(b)![1]),
    );
    expect(stock).toContain('"filter":"sync_gateway/bychannel"');
    expect(stock).toContain('"channels":"berlin,rome"');
    expect(till).toContain('{"docIDs":["one","two"]}');
    expect(all).not.toMatch(/filter|docIDs/);
  });

  // docs/protocol/replication.md#proposechanges, docs/protocol/replication.md#towards-sync-gateway
  it('proposals that ask for the conflicting revision, and revisions that must not branch', async () => {
    await using client = await World.open();
    const first = await client.put('doc', { n: 1 });
    await client.put('doc', { n: 2 }, { expect: first.rev });
    const gateway = new FakeGateway();
    await gateway.replicate(client).ended;
    expect(received(gateway, 'proposeChanges')[0]).toContain('"conflictIncludesRev":"true"');
    const [sent] = received(gateway, 'rev');
    expect(sent).toMatch(/"noconflicts":"(?:1|true)"/);
    expect(sent).toContain(`"history":"${first.rev}"`);
    expect(gateway.complaints).toEqual([]);
  });

  // docs/protocol/replication.md#proposechanges
  it('as parent, the revision that the gateway is known to have', async () => {
    await using client = await World.open();
    const theirs = rev(3, 'c');
    const rows: GatewayRow[] = [
      { sequence: 1, id: 'doc', rev: theirs, history: `${rev(2, 'b')},${rev(1, 'a')}`, body: '{"n":3}' },
    ];
    const gateway = new FakeGateway({ rows });
    const replication = gateway.replicate(client, { continuous: true });
    await expect.poll(async () => (await client.storage.collection(DEFAULT)).documents).toBe(1);
    const fourth = await client.put('doc', { n: 4 }, { expect: theirs });
    await expect.poll(() => gateway.pushed.get('doc')).toEqual({ n: 4 });
    expect(received(gateway, 'proposeChanges').at(-1)).toContain(`["doc","${fourth.rev}","${theirs}"`);
    await replication.stop();
  });
});

describe('what a gateway asks', () => {
  // docs/protocol/replication.md#proveattachment, docs/protocol/blobs-and-deltas.md#proofs
  it('is the proof of a blob while its revision waits, and not afterwards', async () => {
    await using client = await World.open();
    const bytes = new TextEncoder().encode('Hello blob!');
    const { digest, length } = await client.storage.putBlob(DATABASE, bytes);
    const blob = { '@type': 'blob', content_type: 'text/plain', digest, length };
    await client.put('doc', { blob });
    const gateway = new FakeGateway({ provesBlobs: true });
    const replication = gateway.replicate(client, { continuous: true });
    await expect.poll(() => gateway.pushed.has('doc')).toBe(true);
    expect(gateway.proofs).toEqual(['sha1-snNtAWFJ1BnOMFsIVNYgcoFvhC4=']);
    expect((await gateway.prove(digest)).error).toBeDefined();
    await replication.stop();
  });

  it.each(['getCheckpoint', 'subChanges', 'proposeChanges', 'strange'])(
    'that only a server answers is refused: %s',
    async (profile) => {
      await using client = await World.open();
      const gateway = new FakeGateway();
      const replication = gateway.replicate(client, { continuous: true });
      await replication.whenIdle();
      const { error } = await gateway.ask(profile, { client: 'x', collection: '0' });
      expect([404, 400]).toContain(error?.code);
      expect(replication.link.connection.isOpen).toBe(true);
      await replication.stop();
    },
  );
});

// docs/protocol/checkpoints.md#sequences
describe('sequences that say nothing to us', () => {
  const rows: GatewayRow[] = [
    { sequence: 'seq-b!', id: 'a', rev: rev(1, 'a'), body: '{"n":1}' },
    { sequence: '::7', id: 'b', rev: rev(1, 'b'), body: '{"n":2}' },
  ];

  it('are given back as they came', async () => {
    await using client = await World.open();
    const gateway = new FakeGateway({ rows });
    expect((await gateway.replicate(client).ended).error).toBeUndefined();
    const second = gateway.replicate(client);
    await second.ended;
    expect(received(gateway, 'subChanges')[1]).toContain('"since":"\\"::7\\""');
    expect(second.traffic).toEqual({ sent: 0, received: 0 });
  });

  it('R24: that differ from what the gateway remembers mean the beginning, and nothing comes twice', async () => {
    await using client = await World.open();
    const gateway = new FakeGateway({ rows });
    await gateway.replicate(client).ended;
    const [key, found] = [...gateway.checkpoints][0]!;
    gateway.checkpoints.set(key, { ...found, body: found.body.replace('::7', 'seq-b!') });
    const second = gateway.replicate(client);
    expect((await second.ended).error).toBeUndefined();
    expect(received(gateway, 'subChanges')[1]).not.toContain('since');
    expect(second.traffic).toEqual({ sent: 0, received: 0 });
    expect((await client.storage.collection(DEFAULT)).lastSequence).toBe(2);
  });
});

// docs/protocol/replication.md#towards-a-couchbase-lite-listener
describe('Couchbase Lite as the server', () => {
  it('is pulled from and pushed to, with its own forms', async () => {
    await using client = await World.open();
    const bytes = new TextEncoder().encode('Hello blob!');
    const blob = await client.storage.putBlob(DATABASE, bytes);
    await client.put('here', { pic: { '@type': 'blob', ...blob } });
    await client.put('gone', {});
    const [gone] = await client.storage.read(DEFAULT, ['gone']);
    const rows: GatewayRow[] = [
      { sequence: 1, id: 'there', rev: rev(1, 'a'), body: '{"n":1}' },
      { sequence: 2, id: 'gone', rev: rev(2, 'b'), history: gone!.rev, flags: 1 },
    ];
    const gateway = new FakeGateway({ rows, isListener: true });
    expect((await gateway.replicate(client).ended).error).toBeUndefined();
    expect(await client.documents()).toMatchObject({ gone: 'deleted', there: '{"n":1}' });
    expect(gateway.pushed.get('here')).not.toHaveProperty('_attachments');
    await client.put('more', {});
    const second = gateway.replicate(client);
    expect((await second.ended).error).toBeUndefined();
    expect(second.traffic).toEqual({ sent: 1, received: 0 });
    expect(received(gateway, 'subChanges')[1]).toContain('"since":"2"');
    expect(received(gateway, 'setCheckpoint').at(-1)).toContain('"rev":"1-cc"');
    expect(received(gateway, 'getCheckpoint')).toEqual([]);
    expect(gateway.complaints).toEqual([]);
  });

  it('that keeps the other kind of revisions refuses, and that is final', async () => {
    await using client = await World.open();
    const gateway = new FakeGateway({ isListener: true, errors: { subChanges: { domain: 'LiteCore', code: 501 } } });
    expect((await gateway.replicate(client).ended).error).toMatchObject({ info: { domain: 'LiteCore', code: 501 } });
  });
});
