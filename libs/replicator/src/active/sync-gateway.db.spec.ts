import { createHash } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import { FakeGateway, type GatewayRow } from '../testing/fake-gateway.js';
import { DATABASE, DEFAULT, World } from '../testing/world.js';

const rev = (generation: number, digit: string): string => `${generation}-${digit.repeat(32)}`;
const digestOf = (bytes: Uint8Array): string => `sha1-${createHash('sha1').update(bytes).digest('base64')}`;

describe('with Sync Gateway', () => {
  // docs/protocol/replication.md#towards-sync-gateway, docs/protocol/checkpoints.md#sequences
  it('a pull takes compound sequences as they come, a null list as the end, and goes on from there', async () => {
    await using client = await World.open();
    const rows: GatewayRow[] = [
      { sequence: 3, id: 'a', rev: rev(1, 'a'), body: '{"n":1}' },
      { sequence: '7:4', id: 'b', rev: rev(2, 'b'), history: rev(1, 'b'), body: '{"n":2}' },
      { sequence: '5:7:6', id: 'gone', rev: rev(2, 'c'), flags: 1 },
    ];
    const gateway = new FakeGateway({ rows });
    expect((await gateway.replicate(client).ended).error).toBeUndefined();
    expect(await client.documents()).toEqual({ a: '{"n":1}', b: '{"n":2}', gone: 'deleted' });
    expect([...gateway.checkpoints.values()].at(-1)!.body).toContain('"remote":"5:7:6"');

    gateway.offer([...rows, { sequence: '8:9', id: 'd', rev: rev(1, 'd'), body: '{"n":3}' }]);
    const second = gateway.replicate(client);
    expect((await second.ended).error).toBeUndefined();
    expect(second.traffic).toEqual({ sent: 0, received: 1 });
    expect(gateway.received.findLast((line) => line.startsWith('subChanges'))).toContain('"since":"\\"5:7:6\\""');
    expect(gateway.complaints).toEqual([]);
  });

  // docs/protocol/replication.md#setcheckpoint
  it('learns the revision of its checkpoint from _rev', async () => {
    await using client = await World.open();
    const gateway = new FakeGateway({ rows: [{ sequence: 1, id: 'a', rev: rev(1, 'a'), body: '{}' }] });
    await gateway.replicate(client).ended;
    await client.put('here', {});
    await gateway.replicate(client).ended;
    expect(gateway.received.filter((line) => line.startsWith('getCheckpoint'))).toEqual([]);
    expect([...gateway.checkpoints.values()]).toMatchObject([{ rev: 2 }]);
  });

  // docs/protocol/replication.md#the-older-form
  it('R29: speaks the older form with one that does not know collections', async () => {
    await using client = await World.open();
    await client.put('here', { n: 1 });
    const gateway = new FakeGateway({
      knowsCollections: false,
      rows: [{ sequence: 1, id: 'there', rev: rev(1, 'a'), body: '{}' }],
    });
    expect((await gateway.replicate(client).ended).error).toBeUndefined();
    expect(gateway.pushed.get('here')).toEqual({ n: 1 });
    expect(await client.documents()).toMatchObject({ there: '{}' });
    expect(gateway.received.slice(1).filter((line) => line.includes('"collection"'))).toEqual([]);
  });

  // docs/protocol/blobs-and-deltas.md#attachments, docs/protocol/replication.md#towards-sync-gateway
  it('pushes blobs as attachments with the generation, and sends the bytes while the revision waits', async () => {
    await using client = await World.open();
    const bytes = new Uint8Array(50_000).map((_, index) => index % 251);
    const blob = await client.storage.putBlob(DATABASE, bytes);
    const first = await client.put('doc', { n: 1 });
    await client.put('doc', { pic: { '@type': 'blob', content_type: 'image/png', ...blob } }, { expect: first.rev });
    const gateway = new FakeGateway();
    expect((await gateway.replicate(client).ended).error).toBeUndefined();
    expect(gateway.complaints).toEqual([]);
    expect(gateway.pushed.get('doc')).toMatchObject({
      _attachments: { 'blob_/pic': { digest: blob.digest, length: 50_000, revpos: 2, stub: true } },
    });
  });

  // docs/protocol/blobs-and-deltas.md#transfer
  it('fetches attachments before it answers, and stores none of the stubs', async () => {
    await using client = await World.open();
    const bytes = new TextEncoder().encode('Hello blob!');
    const digest = digestOf(bytes);
    const dict = `{"@type":"blob","digest":"${digest}","length":11,"content_type":"text/plain"}`;
    const stubs = `{"blob_/pic":{"digest":"${digest}","length":11,"stub":true,"revpos":1}}`;
    const body = `{"pic":${dict},"_attachments":${stubs}}`;
    const gateway = new FakeGateway({
      rows: [{ sequence: 1, id: 'doc', rev: rev(1, 'a'), body }],
      blobs: new Map([[digest, bytes]]),
    });
    expect((await gateway.replicate(client).ended).error).toBeUndefined();
    expect(gateway.complaints).toEqual([]);
    expect(await client.storage.missingBlobs(DATABASE, [digest])).toEqual([]);
    expect((await client.documents())['doc']).not.toContain('_attachments');
  });

  // docs/protocol/blobs-and-deltas.md#deltas
  it('takes deltas on what it lists, and the whole body when one does not apply', async () => {
    await using client = await World.open();
    const gateway = new FakeGateway({ rows: [{ sequence: 1, id: 'doc', rev: rev(1, 'a'), body: '{"a":1,"b":2}' }] });
    await gateway.replicate(client).ended;
    const delta = { base: rev(1, 'a'), body: '{"a":5}' };
    gateway.offer([
      { sequence: 1, id: 'doc', rev: rev(1, 'a') },
      { sequence: 2, id: 'doc', rev: rev(2, 'b'), history: rev(1, 'a'), body: '{"x":1}', delta },
    ]);
    await gateway.replicate(client).ended;
    expect(await client.documents()).toEqual({ doc: '{"a":5,"b":2}' });
    gateway.offer([
      { sequence: 2, id: 'doc', rev: rev(2, 'b') },
      {
        sequence: 3,
        id: 'doc',
        rev: rev(3, 'c'),
        history: `${rev(2, 'b')},${rev(1, 'a')}`,
        body: '{"whole":true}',
        delta: { base: rev(2, 'b'), body: '{"a":{"not":"there"}}' },
      },
    ]);
    expect((await gateway.replicate(client).ended).error).toBeUndefined();
    expect(await client.documents()).toEqual({ doc: '{"whole":true}' });
  });

  // docs/protocol/replication.md#revocations-and-removals
  it.each([
    { what: 'the access is lost', row: { flags: 2 } },
    { what: 'they left the channels', row: { flags: 4 } },
    { what: 'both, and deleted', row: { flags: 7 } },
    { what: 'an older gateway says so in the body', row: { body: '{"_removed":true}' } },
  ])('R27: removes documents when $what, without a notification', async ({ row }) => {
    await using client = await World.open();
    const first: GatewayRow = { sequence: 1, id: 'doc', rev: rev(1, 'a'), body: '{"n":1}' };
    const gateway = new FakeGateway({ rows: [first, { sequence: 2, id: 'other', rev: rev(1, 'b'), body: '{}' }] });
    await gateway.replicate(client).ended;
    const before = await client.storage.collection(DEFAULT);
    gateway.offer([
      { sequence: 2, id: 'other', rev: rev(1, 'b') },
      { sequence: 3, id: 'doc', rev: rev(2, 'c'), history: rev(1, 'a'), ...row },
    ]);
    const second = gateway.replicate(client);
    expect((await second.ended).error).toBeUndefined();
    expect(await client.documents()).toEqual({ other: '{}' });
    expect((await client.storage.collection(DEFAULT)).lastSequence).toBe(before.lastSequence);
    expect(second.traffic.sent).toBe(0);
    expect([...gateway.checkpoints.values()].at(-1)!.body).toContain('"remote":3');

    gateway.offer([
      { sequence: 3, id: 'doc', rev: rev(2, 'c') },
      { sequence: '9:1', id: 'doc', rev: rev(1, 'a'), body: '{"n":1}' },
    ]);
    await gateway.replicate(client).ended;
    expect(await client.documents()).toMatchObject({ doc: '{"n":1}' });
  });

  // docs/protocol/replication.md#norev
  it('takes a norev as the end of its sequence', async () => {
    await using client = await World.open();
    const gateway = new FakeGateway({
      rows: [
        { sequence: 1, id: 'lost', rev: rev(1, 'a'), missing: true },
        { sequence: 2, id: 'doc', rev: rev(1, 'b'), body: '{}' },
      ],
    });
    expect((await gateway.replicate(client).ended).error).toBeUndefined();
    expect([...gateway.checkpoints.values()].at(-1)!.body).toContain('"remote":2');
  });

  // docs/protocol/failures.md#errors-an-active-peer-meets
  it('R28: reports what is refused for good and goes on; what is refused for now waits for the next connection', async () => {
    await using client = await World.open();
    for (const id of ['fine', 'forbidden', 'later']) await client.put(id, { id });
    const refusals: Record<string, number> = { forbidden: 403, later: 503 };
    const gateway = new FakeGateway({ refusals });
    const failed: unknown[] = [];
    const replication = gateway.replicate(client, {
      onDocumentError: (direction, _keyspace, id, error) =>
        failed.push([direction, id, (error as { code: number }).code]),
    });
    expect((await replication.ended).error).toBeUndefined();
    expect([...gateway.pushed.keys()]).toEqual(['fine']);
    expect(failed).toEqual([['push', 'forbidden', 403]]);
    expect(replication.deferred).toBe(1);
    delete refusals['later'];
    delete refusals['forbidden'];
    await gateway.replicate(client).ended;
    expect([...gateway.pushed.keys()]).toEqual(['fine', 'later']);
  });

  // docs/protocol/replication.md#rev
  it.each([
    { domain: 'HTTP', code: 409 },
    { domain: 'LiteCore', code: 8 },
  ])('a conflict of a push that also pulls is no failure: %j', async ({ domain, code }) => {
    await using client = await World.open();
    await client.put('doc', {});
    const gateway = new FakeGateway({ refusals: { doc: code }, refusalDomain: domain });
    const failed: unknown[] = [];
    const onDocumentError = (...all: unknown[]): void => void failed.push(all);
    expect((await gateway.replicate(client, { onDocumentError }).ended).error).toBeUndefined();
    expect(failed).toEqual([]);
    await client.put('other', {});
    await gateway.replicate(client, {
      onDocumentError,
      pull: false,
      collections: [{ local: DEFAULT, checkpointId: 'cp-push' }],
    }).ended;
    expect(failed).toHaveLength(1);
  });

  // docs/protocol/replication.md#proposechanges
  it('proposes again on the revision that a conflict names, if ours builds on it', async () => {
    await using client = await World.open();
    const first = await client.put('doc', { n: 1 });
    const second = await client.put('doc', { n: 2 }, { expect: first.rev });
    await client.put('doc', { n: 3 }, { expect: second.rev });
    let asked = 0;
    const proposals = {
      get doc() {
        return asked++ === 0 ? { status: 409, rev: first.rev } : 0;
      },
    };
    const gateway = new FakeGateway({ proposals });
    await gateway.replicate(client).ended;
    expect(asked).toBe(2);
    expect(gateway.received.filter((line) => line.startsWith('proposeChanges'))[1]).toContain(`"${first.rev}"`);
    expect(gateway.pushed.get('doc')).toEqual({ n: 3 });
  });

  // docs/protocol/replication.md#proposechanges
  it('proposes again as new what the server turns out not to have', async () => {
    await using client = await World.open();
    const first = await client.put('doc', { n: 1 });
    await client.put('doc', { n: 2 }, { expect: first.rev });
    const answers = [{ status: 409, rev: '' }, 0];
    const proposals = {
      get doc() {
        return answers.shift();
      },
    };
    const gateway = new FakeGateway({ proposals });
    expect((await gateway.replicate(client).ended).error).toBeUndefined();
    expect(gateway.pushed.get('doc')).toEqual({ n: 2 });
    expect(answers).toEqual([]);
  });

  // docs/protocol/replication.md#proposechanges
  it('a server that refuses a new document and names no revision is not asked for ever', async () => {
    await using client = await World.open();
    const first = await client.put('doc', { n: 1 });
    await client.put('doc', { n: 2 }, { expect: first.rev });
    const gateway = new FakeGateway({ proposals: { doc: { status: 409, rev: '' } } });
    expect((await gateway.replicate(client).ended).error).toBeUndefined();
    expect(gateway.received.filter((line) => line.startsWith('proposeChanges') && !line.includes('[]'))).toHaveLength(
      2,
    );
  });

  // docs/protocol/revisions.md#vectors-on-messages
  it('over version vectors takes histories with merges, legacy IDs and empty elements, and legacy documents', async () => {
    await using client = await World.open();
    const now = BigInt(Date.now()) * 1_000_000n;
    const version = (minutes: number, source: string): string =>
      `${(now - BigInt(minutes) * 60_000_000_000n).toString(16)}@${source.repeat(21)}A`;
    const gateway = new FakeGateway({
      rows: [
        {
          sequence: 1,
          id: 'merged',
          rev: version(1, 'B'),
          history: `${version(2, 'B')},${version(3, 'C')};`,
          body: '{"m":1}',
        },
        { sequence: 2, id: 'legacy', rev: rev(2, 'b'), history: rev(1, 'a'), body: '{"l":1}' },
        {
          sequence: 3,
          id: 'suffix',
          rev: version(1, 'C'),
          history: `${version(2, 'B')},${version(3, 'C')};,2-${'b'.repeat(32)}`,
          body: '{"s":1}',
        },
      ],
    });
    const failed: unknown[] = [];
    const replication = gateway.replicate(client, {
      version: 4,
      onDocumentError: (...all) => failed.push(all),
    });
    expect((await replication.ended).error).toBeUndefined();
    expect(failed).toEqual([]);
    expect(await client.documents()).toEqual({ legacy: '{"l":1}', merged: '{"m":1}', suffix: '{"s":1}' });
    expect((await client.storage.read(DEFAULT, ['legacy']))[0]!.rev).toBe(rev(2, 'b'));
  });
});
