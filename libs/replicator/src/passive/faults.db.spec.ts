import { describe, expect, it } from 'vitest';
import { EdgeError } from '@edgesync/errors';
import type { Storage } from '@edgesync/ports';
import { answer, jsonOf, wantAll } from '../testing/scripted-peer.js';
import { World } from '../testing/world.js';

/** A storage that fails on demand. */
class Trouble {
  error = new Error();
  calls = 0;
  readonly failing = new Set<keyof Storage>();

  readonly wrap = (storage: Storage): Storage =>
    new Proxy(storage, {
      get: (target, name) => {
        const method = (target[name as keyof Storage] as (...args: unknown[]) => unknown).bind(target);
        return (...args: unknown[]) => {
          if (!this.failing.has(name as keyof Storage)) return method(...args);
          this.calls++;
          return Promise.reject(this.error);
        };
      },
    });

  begin(error: Error, ...methods: (keyof Storage)[]): void {
    this.error = error;
    for (const method of methods) this.failing.add(method);
  }
}

describe('temporary trouble with storage', () => {
  // docs/protocol/failures.md#which-error-to-choose, docs/protocol/replication.md#errors-on-rev-for-a-pusher
  it.each(['storage.closed', 'storage.full', 'storage.failed', 'storage.corrupt'] as const)(
    '(%s) is answered to a rev with HTTP/503, then the client is sent away to come back',
    async (code) => {
      const trouble = new Trouble();
      await using world = await World.open({ wrap: trouble.wrap });
      const peer = await world.connect();
      trouble.begin(new EdgeError(code), 'write');
      expect((await peer.ask('rev', { id: 'doc', rev: '1-aa' }, {})).error).toMatchObject({
        domain: 'HTTP',
        code: 503,
      });
      expect(await peer.closed).toMatchObject({ code: 4001, by: 'peer' });
    },
  );

  it('that passes soon is waited for', async () => {
    const trouble = new Trouble();
    await using world = await World.open({ wrap: trouble.wrap, tuning: { writeRetryMs: 1 } });
    const peer = await world.connect();
    trouble.begin(new EdgeError('storage.busy'), 'write');
    const reply = peer.ask('rev', { id: 'doc', rev: '1-aa' }, {});
    while (trouble.calls < 3) await new Promise((resolve) => setImmediate(resolve));
    trouble.failing.clear();
    expect((await reply).error).toBeUndefined();
    expect(await world.documents()).toEqual({ doc: '{}' });
  });

  // docs/protocol/failures.md#which-error-to-choose, docs/protocol/replication.md#refusing-a-subscription
  it.each([
    ['getCollections', {}, '{"collections":["_default"],"checkpoint_ids":["cp"]}', 'loadCheckpoint'],
    ['getCheckpoint', { client: 'cp' }, '', 'loadCheckpoint'],
    ['setCheckpoint', { client: 'cp' }, '{}', 'saveCheckpoint'],
    ['proposeChanges', {}, '[["doc","1-aa",""]]', 'read'],
    ['getRev', { id: 'doc' }, '', 'read'],
  ] as const)('is answered to %s with HTTP/503', async (profile, properties, body, method) => {
    const trouble = new Trouble();
    await using world = await World.open({ wrap: trouble.wrap });
    const peer = await world.connect();
    trouble.begin(new EdgeError('storage.unavailable'), method);
    expect((await peer.ask(profile, properties, body)).error).toMatchObject({ domain: 'HTTP', code: 503 });
    expect(await peer.closed).toMatchObject({ code: 4001 });
  });

  // docs/protocol/replication.md#refusing-a-subscription
  it('ends a subscription together with the connection', async () => {
    const trouble = new Trouble();
    await using world = await World.open({ wrap: trouble.wrap });
    const peer = await world.connect();
    trouble.begin(new EdgeError('storage.unavailable'), 'changes');
    expect((await peer.ask('subChanges', { continuous: 'true' })).error).toBeUndefined();
    expect(await peer.closed).toMatchObject({ code: 4001, by: 'peer' });
  });

  it('leaves other sessions alone once it is over', async () => {
    const trouble = new Trouble();
    await using world = await World.open({ wrap: trouble.wrap });
    const [first, second] = [await world.connect(), await world.connect()];
    trouble.begin(new EdgeError('storage.failed'), 'write');
    await first.ask('rev', { id: 'doc', rev: '1-aa' }, {});
    trouble.failing.clear();
    expect((await second.ask('rev', { id: 'doc', rev: '1-aa' }, {})).error).toBeUndefined();
  });
});

describe('a message', () => {
  // docs/protocol/blip.md#malformed-input
  it('of an unknown kind is answered with BLIP/404', async () => {
    await using world = await World.open();
    const peer = await world.connect();
    for (const profile of ['nothere', '', 'query', 'constructor', '__proto__'])
      expect((await peer.ask(profile)).error).toMatchObject({ domain: 'BLIP', code: 404 });
  });

  // docs/protocol/replication.md#ping
  it('PING is answered, before and after anything else', async () => {
    await using world = await World.open();
    const peer = await world.connect();
    expect((await peer.ask('PING')).error).toBeUndefined();
    expect(await peer.openCollections('_default')).toEqual([{}]);
    expect((await peer.ask('PING')).error).toBeUndefined();
    peer.notify('PING');
    await peer.settled();
  });

  // docs/protocol/blip.md#messages
  it('may have properties that nobody knows', async () => {
    await using world = await World.open();
    const peer = await world.connect();
    const reply = await peer.ask('proposeChanges', { sgShowHandler: 'true', x: 'y' }, [['doc', '1-aa', '']]);
    expect(jsonOf(reply)).toEqual([0]);
  });

  // docs/protocol/blip.md#malformed-input
  it('whose handling fails unexpectedly is answered with HTTP/503, and the session goes on', async () => {
    const trouble = new Trouble();
    await using world = await World.open({ wrap: trouble.wrap });
    const peer = await world.connect();
    trouble.begin(new TypeError('a bug'), 'read');
    const reply = await peer.ask('proposeChanges', {}, [['doc', '1-aa', '']]);
    expect(reply.error).toMatchObject({ domain: 'HTTP', code: 503, message: 'internal error' });
    trouble.failing.clear();
    expect((await peer.ask('proposeChanges', {}, [['doc', '1-aa', '']])).error).toBeUndefined();
  });
});

describe('the sync mode of the database', () => {
  const pushRefused = { domain: 'HTTP', code: 403, message: 'Attempting to push to a pull-only replicator' };
  const pullRefused = { domain: 'HTTP', code: 403, message: 'Attempting to pull from a push-only replicator' };

  // docs/protocol/failures.md#which-error-to-choose
  it('pull refuses every message of a push', async () => {
    await using world = await World.open();
    const peer = await world.connect({ mode: 'pull' });
    for (const [profile, body] of [
      ['proposeChanges', '[]'],
      ['changes', '[]'],
      ['rev', '{}'],
      ['putRev', '{}'],
    ] as const)
      expect((await peer.ask(profile, { id: 'doc', rev: '1-aa' }, body)).error).toEqual(pushRefused);
    expect((await peer.ask('subChanges')).error).toBeUndefined();
  });

  // docs/protocol/failures.md#which-error-to-choose
  it('push refuses every message of a pull', async () => {
    await using world = await World.open();
    const peer = await world.connect({ mode: 'push' });
    for (const profile of ['subChanges', 'getAttachment', 'proveAttachment', 'getRev'])
      expect((await peer.ask(profile, { id: 'doc' })).error).toEqual(pullRefused);
    expect((await peer.ask('rev', { id: 'doc', rev: '1-aa' }, {})).error).toBeUndefined();
  });
});

describe('a session that ends', () => {
  // docs/protocol/connection.md#close-codes
  it('finishes what is in flight and closes with 4001', async () => {
    await using world = await World.open();
    const peer = await world.connect();
    const digest = 'sha1-+/5OEWyiOCR+4+FV9BerKsYPaxA=';
    const rev = peer.ask('rev', { id: 'doc', rev: '1-aa' }, { pic: { '@type': 'blob', digest, length: 11 } });
    const attachment = await peer.next('getAttachment');
    const drained = world.sessions[0]!.drain('going down');
    const refused = await peer.ask('subChanges');
    expect(refused.error).toMatchObject({ domain: 'HTTP', code: 503 });
    attachment.respond({ body: new TextEncoder().encode('Hello blob!') });
    expect((await rev).error).toBeUndefined();
    await drained;
    expect(await peer.closed).toEqual({ code: 4001, reason: 'going down', by: 'peer' });
  });

  // docs/protocol/connection.md#close-codes
  it('does not wait for a client that does not answer', async () => {
    await using world = await World.open({ tuning: { drainMs: 10 } });
    await world.put('doc', {});
    const peer = await world.connect();
    await peer.ask('subChanges');
    await peer.next('changes');
    await world.sessions[0]!.drain('going down');
    expect(await peer.closed).toMatchObject({ code: 4001 });
  });

  it('in the middle of a pull leaves nothing behind', async () => {
    await using world = await World.open();
    for (let n = 0; n < 50; n++) await world.put(`doc ${n}`, { n });
    const peer = await world.connect();
    await peer.ask('subChanges', { continuous: 'true', batch: '10' });
    answer(await peer.next('changes'), Array(10).fill([]));
    await peer.next('rev');
    await peer.connection.close();
    await world.sessions[0]!.closed;
    await new Promise((resolve) => setImmediate(resolve));
    expect(world.context.feeds.activeCollections).toBe(0);
    expect(world.faults).toEqual([]);
  });
});

describe('a client that does not keep pace', () => {
  it('gets no further lists while it has not answered, and no further revisions than fit the window', async () => {
    await using world = await World.open({ tuning: { unansweredRevs: 10, unansweredBacklogLists: 2 } });
    const long = 'x'.repeat(300);
    const firsts: string[] = [];
    for (let n = 0; n < 100; n++) firsts.push((await world.put(`doc ${n}`, { n, long })).rev);
    for (let n = 0; n < 100; n++) await world.put(`doc ${n}`, { n: -n, long }, { expect: firsts[n]! });
    const peer = await world.connect();
    await peer.ask('subChanges', { batch: '20' });
    const first = await peer.next('changes');
    await peer.next('changes');
    await peer.ask('PING');
    expect(peer.unseen('changes')).toHaveLength(0);
    const rows = jsonOf(first) as [number, string][];
    answer(
      first,
      rows.map(([, id]) => [firsts[Number(id.slice(4))]]),
      { deltas: 'true' },
    );
    while (peer.unseen('rev').length < 10) await peer.ask('PING');
    for (let turn = 0; turn < 5; turn++) await peer.ask('PING');
    expect(peer.unseen('rev')).toHaveLength(10);
    peer.on('rev', (request) => request.respond()).on('changes', wantAll());
    for (const rev of [...peer.unseen('rev')]) rev.respond();
    while (peer.received.filter((line) => line.startsWith('rev')).length < 20) await peer.ask('PING');
  });
});
