import { randomBytes } from 'node:crypto';
import { encodeMessage, decodeMessage, MessageKind, RequestHeader, requestSubject } from '@edgesync/bus-contract';
import { collect, DATABASE, edit, revision, rev, SENSORS, SETUP } from '@edgesync/ports/testing';
import { startNatsProxy, startNatsServer, type NatsProxy, type NatsServer } from '@edgesync/test-kit';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { openSplitStorage, type SplitStorage } from './testing/split-storage.js';

let nats: NatsServer;
let proxy: NatsProxy;
let split: SplitStorage;

beforeAll(async () => {
  nats = await startNatsServer();
});
afterAll(() => nats.dispose());
beforeEach(async () => {
  proxy = await startNatsProxy(nats.port);
  split = await openSplitStorage(nats.url, SETUP, { clientUrl: proxy.url, attempt: 100, patience: 1_000 });
});
afterEach(async () => {
  proxy.drop = undefined;
  await split.close();
  await proxy.close();
});

/** Loses the next so many messages to the caller that are answers. */
function loseAnswers(count: number, isMeant: (bytes: number) => boolean = () => true): void {
  let left = count;
  proxy.drop = ({ subject, bytes }) => subject.startsWith('_INBOX.') && isMeant(bytes) && left-- > 0;
}

const unavailable = { code: 'storage.unavailable' };

describe('when an answer is lost', () => {
  it('a write is repeated and applied once', async () => {
    loseAnswers(1);
    expect(await split.storage.write(DATABASE, [edit('a')])).toMatchObject([{ status: 'stored', sequence: 1 }]);
    expect(split.storage.requests).toBe(2);
    expect(await split.storage.collection(SENSORS)).toMatchObject({ documents: 1, lastSequence: 1 });
  });

  it('many writes, losing every third answer, are each applied once', async () => {
    let seen = 0;
    proxy.drop = ({ subject }) => subject.startsWith('_INBOX.') && seen++ % 3 === 0;
    const ids = Array.from({ length: 60 }, (_, n) => `doc${n}`);
    const results = await Promise.all(ids.map((id) => split.storage.write(DATABASE, [edit(id)])));
    proxy.drop = undefined;
    expect(new Set(results.flat().map(({ status }) => status))).toEqual(new Set(['stored']));
    expect(await split.storage.collection(SENSORS)).toMatchObject({ documents: 60, lastSequence: 60 });
  });

  it('a revision made elsewhere is known by its ID', async () => {
    loseAnswers(1);
    const [result] = await split.storage.write(DATABASE, [revision('a', rev(1, 'a'))]);
    expect(result).toMatchObject({ status: 'known', rev: rev(1, 'a'), sequence: 1 });
  });

  it('a purge is done once, and not to what was written again in between', async () => {
    await split.storage.write(DATABASE, [edit('a')]);
    let recreated: Promise<unknown> | undefined;
    loseAnswers(1, () => {
      recreated ??= split.sqlite.write(DATABASE, [edit('a')]);
      return true;
    });
    const purge = { type: 'purge' as const, keyspace: SENSORS, id: 'a' };
    expect(await split.storage.write(DATABASE, [purge])).toEqual([{ status: 'purged', id: 'a' }]);
    await recreated;
    expect(await split.storage.read(SENSORS, ['a'])).toMatchObject([{ id: 'a' }]);
  });

  it('a checkpoint is saved once', async () => {
    loseAnswers(1);
    expect(await split.storage.saveCheckpoint(SENSORS, 'client', '', '{}')).toBe('0-1');
    expect(await split.storage.saveCheckpoint(SENSORS, 'client', '0-1', '{}')).toBe('0-2');
  });

  it('again and again, the call ends in good time and says that it may be tried again', async () => {
    const impatient = await openSplitStorage(
      nats.url,
      { ...SETUP, database: 'other' },
      { clientUrl: proxy.url, attempt: 50, timeout: 300 },
    );
    proxy.drop = ({ subject }) => subject.startsWith('_INBOX.');
    await expect(impatient.storage.write('other', [])).rejects.toMatchObject(unavailable);
    proxy.drop = undefined;
    await impatient.close();
  });
});

describe('a large value', () => {
  beforeEach(async () => {
    await split.close();
    split = await openSplitStorage(nats.url, SETUP, { clientUrl: proxy.url });
  });
  const body = JSON.stringify({ text: randomBytes(10 * 1_024 * 1_024).toString('hex') });

  it('arrives as it was, in both directions', async () => {
    const requests = [edit('small'), edit('large', { body }), edit('other')];
    expect((await split.storage.write(DATABASE, requests)).map(({ status }) => status)).toEqual([
      'stored',
      'stored',
      'stored',
    ]);
    const rows = await split.storage.read(SENSORS, ['large', 'none', 'small']);
    expect(rows.map((row) => row?.body.length)).toEqual([body.length, undefined, 7]);
    expect(rows[0]!.body === body).toBe(true);
  });

  it('is asked for again when a piece of it is lost', async () => {
    await split.sqlite.write(DATABASE, [edit('large', { body })]);
    loseAnswers(1, (bytes) => bytes > 200_000);
    const [row] = await split.storage.read(SENSORS, ['large']);
    expect(row!.body === body).toBe(true);
    expect(split.storage.requests).toBe(2);
  });

  it('is sent again when a sign of its receiver is lost', async () => {
    loseAnswers(1);
    expect(await split.storage.write(DATABASE, [edit('large', { body })])).toMatchObject([{ status: 'stored' }]);
    expect(await split.storage.collection(SENSORS)).toMatchObject({ documents: 1, lastSequence: 1 });
  });

  it('that is a blob goes on where it broke off', async () => {
    const content = randomBytes(6 * 1_024 * 1_024);
    const { digest } = await split.storage.putBlob(DATABASE, content);
    const blob = (await split.storage.openBlob(DATABASE, digest))!;
    const before = split.storage.requests;
    const parts: Uint8Array[] = [];
    for await (const chunk of blob.read()) {
      parts.push(Buffer.from(chunk));
      if (parts.length === 3 || parts.length === 9) proxy.cut();
    }
    expect(Buffer.concat(parts).equals(content)).toBe(true);
    expect(split.storage.requests - before).toBeGreaterThan(1);
  });

  it('is read from the file no faster than it is taken', async () => {
    const content = randomBytes(16 * 1_024 * 1_024);
    const { digest } = await split.storage.putBlob(DATABASE, content);
    let read = 0;
    const sqlite = split.sqlite;
    const open = sqlite.openBlob.bind(sqlite);
    sqlite.openBlob = async (database, name) => {
      const blob = (await open(database, name))!;
      return {
        ...blob,
        async *read(range) {
          for await (const chunk of blob.read(range)) {
            read += chunk.byteLength;
            yield chunk;
          }
        },
      };
    };
    const chunks = (await split.storage.openBlob(DATABASE, digest))!.read()[Symbol.asyncIterator]();
    await chunks.next();
    await expect.poll(() => read).toBeGreaterThan(2_000_000);
    // Another round trip later nothing more has been read.
    await split.storage.collection(SENSORS);
    expect(read).toBeLessThan(4_000_000);
    await chunks.return?.();
  });

  it('can be taken in part', async () => {
    const content = randomBytes(2 * 1_024 * 1_024);
    const { digest } = await split.storage.putBlob(DATABASE, content);
    const blob = (await split.storage.openBlob(DATABASE, digest))!;
    const part = await collect(blob.read({ start: 1_000_000, end: 1_999_999 }));
    expect(Buffer.from(part).equals(content.subarray(1_000_000, 2_000_000))).toBe(true);
  });
});

describe('when storage is away', () => {
  it('calls fail within their patience, and work again once it is back', async () => {
    await split.server.close();
    await expect(split.storage.read(SENSORS, ['a'])).rejects.toMatchObject(unavailable);
    await split.reopen();
    expect(await split.storage.read(SENSORS, ['a'])).toEqual([undefined]);
  });

  it('a call that began before is answered by the next owner', async () => {
    await split.server.close();
    const answer = split.storage.collection(SENSORS);
    await split.reopen();
    expect(await answer).toMatchObject({ lastSequence: 0 });
  });

  it('a slow owner is waited for, and does the work once', async () => {
    proxy.delay = 350;
    expect(await split.storage.write(DATABASE, [edit('a')])).toMatchObject([{ status: 'stored' }]);
    expect(split.storage.requests).toBeGreaterThan(1);
    proxy.delay = 0;
    expect(await split.storage.collection(SENSORS)).toMatchObject({ lastSequence: 1 });
  });

  it('a server that is withdrawn answers what it has taken', async () => {
    const writes = Array.from({ length: 50 }, (_, n) => split.storage.write(DATABASE, [edit(`doc${n}`)]));
    await split.clientBus.connection.flush();
    await split.server.close();
    const outcomes = await Promise.allSettled(writes);
    const { documents } = await split.sqlite.collection(SENSORS);
    expect(documents).toBe(outcomes.filter(({ status }) => status === 'fulfilled').length);
    expect(documents).toBe(50);
  });
});

describe('when the connection is lost', () => {
  it('writes under way are applied once', async () => {
    const ids = Array.from({ length: 200 }, (_, n) => `doc${n}`);
    const writes = ids.map(async (id, n) => {
      if (n === 100) proxy.cut();
      return split.storage.write(DATABASE, [edit(id)]);
    });
    const results = (await Promise.all(writes)).flat();
    expect(results.every(({ status }) => status === 'stored')).toBe(true);
    expect(await split.storage.collection(SENSORS)).toMatchObject({ documents: 200, lastSequence: 200 });
  });

  it('a watcher gets afterwards what it missed', async () => {
    const received: number[] = [];
    split.storage.watch(SENSORS, ({ sequence }) => received.push(sequence));
    await split.storage.collection(SENSORS);
    proxy.cut();
    await split.sqlite.write(DATABASE, [edit('a'), edit('b')]);
    await expect.poll(() => received).toContain(2);
  });

  it('everything goes on after NATS itself was killed and started again', async () => {
    const acknowledged: string[] = [];
    let stop = false;
    let faults = 0;
    const writer = async (name: string): Promise<void> => {
      for (let n = 0; !stop; n++) {
        const id = `${name}-${n}`;
        try {
          const [result] = await split.storage.write(DATABASE, [edit(id)]);
          expect(result).toMatchObject({ status: 'stored' });
          acknowledged.push(id);
        } catch (error) {
          expect(error).toMatchObject(unavailable);
          faults++;
        }
      }
    };
    const writers = ['x', 'y', 'z'].map(writer);
    await expect.poll(() => acknowledged.length).toBeGreaterThan(20);
    await nats.stop();
    await expect.poll(() => faults, { timeout: 10_000 }).toBeGreaterThan(0);
    const before = acknowledged.length;
    await nats.restart();
    await expect.poll(() => acknowledged.length, { timeout: 10_000 }).toBeGreaterThan(before + 20);
    stop = true;
    await Promise.all(writers);
    const rows = await split.storage.read(SENSORS, acknowledged, { body: false });
    expect(rows.filter((row) => !row)).toEqual([]);
    const { documents, lastSequence } = await split.storage.collection(SENSORS);
    expect(lastSequence).toBe(documents);
  });
});

describe('bounds', () => {
  it('thousands of calls at once are answered or refused for now', async () => {
    const calls = Array.from({ length: 10_000 }, () => split.storage.read(SENSORS, ['a', 'b']));
    const outcomes = await Promise.allSettled(calls);
    const refused = outcomes.filter((outcome) => outcome.status === 'rejected');
    expect(refused.length).toBe(10_000 - 256 - 4_096);
    for (const { reason } of refused) expect(reason).toMatchObject({ code: 'server.overloaded' });
  });

  it('many commits ring few doorbells, the last of which has the last sequence', async () => {
    const received: number[] = [];
    split.storage.watch(SENSORS, ({ sequence }) => received.push(sequence));
    await split.storage.collection(SENSORS);
    for (let n = 0; n < 300; n++) await split.sqlite.write(DATABASE, [edit(`doc${n}`)]);
    await expect.poll(() => received.at(-1)).toBe(300);
    expect(received.length).toBeLessThan(150);
    expect(received).toEqual([...received].sort((a, b) => a - b));
  });
});

describe('a message of another release', () => {
  const ask = async (bytes: Uint8Array, operation = 'read') => {
    const reply = await split.clientBus.connection.request(requestSubject(DATABASE, operation), bytes);
    return decodeMessage(reply.data);
  };
  const request = () => encodeMessage(MessageKind.request, 1, new RequestHeader(1_000).wrap({}));

  it('is refused with a reason that names the versions', async () => {
    const bytes = request();
    bytes[0] = 9;
    expect(await ask(bytes)).toMatchObject({
      kind: MessageKind.fault,
      meta: { code: 'bus.version', reason: expect.stringMatching(/version 9 of the contract/) },
    });
  });

  it('with a newer payload is refused by the name of the payload', async () => {
    const bytes = request();
    bytes[2] = 2;
    expect(await ask(bytes)).toMatchObject({
      kind: MessageKind.fault,
      meta: { code: 'bus.version', reason: expect.stringMatching(/^read came in version 2/) },
    });
  });

  it('that lacks what it must have is refused by the name of the field', async () => {
    expect(await ask(request())).toMatchObject({ meta: { code: 'bus.invalid', reason: 'read.scope is missing' } });
    expect(await ask(request(), 'drop')).toMatchObject({ meta: { code: 'bus.invalid' } });
  });
});
