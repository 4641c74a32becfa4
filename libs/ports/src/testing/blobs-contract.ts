import { createHash } from 'node:crypto';
import { expect, it } from 'vitest';
import { collect, current, edit, rev, revision, store, writeOne } from './requests.js';
import { DATABASE, DEFAULT, SENSORS, START_SECONDS, type StorageUnderTest } from './storage-under-test.js';

const GRACE_SECONDS = 3_600;

const digestOf = (content: Uint8Array): string => `sha1-${createHash('sha1').update(content).digest('base64')}`;

const bytes = (text: string): Uint8Array => new TextEncoder().encode(text);

/** A body that refers to blobs; long enough to be kept when it is superseded. */
const referring = (...digests: readonly string[]): string =>
  JSON.stringify({
    photos: digests.map((digest) => ({ '@type': 'blob', digest, length: 3, content_type: 'text/plain' })),
    text: 'x'.repeat(300),
  });

async function* chunked(...chunks: readonly (Uint8Array | Error)[]): AsyncGenerator<Uint8Array> {
  for (const chunk of chunks) {
    if (chunk instanceof Error) throw chunk;
    yield chunk;
  }
}

export function describeBlobs(under: () => StorageUnderTest): void {
  const put = async (text: string): Promise<string> => {
    const { digest } = await under().storage.putBlob(DATABASE, bytes(text));
    return digest;
  };
  const exists = async (digest: string): Promise<boolean> =>
    (await under().storage.openBlob(DATABASE, digest)) !== undefined;
  /** Lets the grace period of everything that is orphaned now run out. */
  const collectGarbage = async (): Promise<void> => {
    under().advance(GRACE_SECONDS);
    await under().sweep();
  };

  it('stores bytes under their digest', async () => {
    const { storage } = under();
    const content = bytes('hello');
    const info = await storage.putBlob(DATABASE, content);
    expect(info).toEqual({ digest: digestOf(content), length: 5 });
    expect(await storage.putBlob(DATABASE, content)).toEqual(info);
    const blob = (await storage.openBlob(DATABASE, info.digest))!;
    expect(blob).toMatchObject(info);
    expect(Buffer.from(await collect(blob.read())).toString()).toBe('hello');
    expect(Buffer.from(await collect(blob.read())).toString()).toBe('hello');
  });

  it('stores streams, whatever the chunks, and nothing at all', async () => {
    const { storage } = under();
    const info = await storage.putBlob(DATABASE, chunked(bytes('he'), bytes(''), bytes('llo')));
    expect(info).toEqual({ digest: digestOf(bytes('hello')), length: 5 });
    const empty = await storage.putBlob(DATABASE, chunked());
    expect(empty).toEqual({ digest: digestOf(bytes('')), length: 0 });
    const blob = (await storage.openBlob(DATABASE, empty.digest))!;
    expect(await collect(blob.read())).toHaveLength(0);
  });

  it('stores megabytes', async () => {
    const { storage } = under();
    const content = new Uint8Array(5_000_000).map((_, index) => index * 31);
    const { digest } = await storage.putBlob(DATABASE, content);
    const blob = (await storage.openBlob(DATABASE, digest))!;
    expect(Buffer.compare(await collect(blob.read()), content)).toBe(0);
  });

  it.each([
    [0, 0, 'h'],
    [1, 3, 'ell'],
    [4, 4, 'o'],
    [0, 4, 'hello'],
  ])('reads the bytes from %i up to and including %i', async (start, end, expected) => {
    const blob = (await under().storage.openBlob(DATABASE, await put('hello')))!;
    expect(Buffer.from(await collect(blob.read({ start, end }))).toString()).toBe(expected);
  });

  it('refuses content that is not what was announced, and keeps nothing of it', async () => {
    const { storage } = under();
    const content = bytes('hello');
    const digest = digestOf(content);
    const fault = { code: 'blob.invalid' };
    const wrong = digestOf(bytes('other'));
    await expect(storage.putBlob(DATABASE, content, { expected: { digest: wrong } })).rejects.toMatchObject(fault);
    await expect(storage.putBlob(DATABASE, content, { expected: { length: 4 } })).rejects.toMatchObject(fault);
    expect(await exists(digest)).toBe(false);
    expect(await exists(wrong)).toBe(false);
    expect(await storage.putBlob(DATABASE, content, { expected: { digest, length: 5 } })).toEqual({
      digest,
      length: 5,
    });
  });

  it('refuses more bytes than the limit, and takes exactly as many', async () => {
    const { storage } = under();
    const options = { limit: 4 };
    await expect(storage.putBlob(DATABASE, bytes('hello'), options)).rejects.toMatchObject({ code: 'blob.too-large' });
    await expect(storage.putBlob(DATABASE, chunked(bytes('hel'), bytes('lo')), options)).rejects.toMatchObject({
      code: 'blob.too-large',
    });
    expect(await storage.putBlob(DATABASE, bytes('hell'), options)).toMatchObject({ length: 4 });
  });

  it('passes on the fault of a stream that breaks off, and keeps nothing of it', async () => {
    const { storage } = under();
    await expect(storage.putBlob(DATABASE, chunked(bytes('hel'), new Error('gone')))).rejects.toThrow();
    expect(await exists(digestOf(bytes('hel')))).toBe(false);
  });

  it('knows what is missing', async () => {
    const { storage } = under();
    const stored = await put('a');
    const absent = digestOf(bytes('b'));
    expect(await storage.missingBlobs(DATABASE, [stored, absent, 'nonsense'])).toEqual([absent, 'nonsense']);
    expect(await storage.missingBlobs(DATABASE, [])).toEqual([]);
    expect(await storage.openBlob(DATABASE, absent)).toBeUndefined();
    expect(await storage.openBlob(DATABASE, '../../etc/passwd')).toBeUndefined();
  });

  it('refuses documents that refer to a blob that is not stored', async () => {
    const { storage } = under();
    const absent = digestOf(bytes('b'));
    const body = referring(absent);
    for (const request of [edit('a', { body }), revision('a', rev(1, 'a'), { body })])
      expect(await writeOne(storage, request)).toMatchObject({ status: 'refused', code: 'blob.unknown' });
    expect(await current(storage, 'a')).toBeUndefined();
    expect(await storage.collection(SENSORS)).toMatchObject({ documents: 0, lastSequence: 0 });
  });

  it('says of a known or conflicting revision just that, whatever blobs it refers to', async () => {
    const { storage } = under();
    const body = referring(digestOf(bytes('b')));
    await store(storage, revision('a', rev(1, 'a')));
    expect(await writeOne(storage, revision('a', rev(1, 'a'), { body }))).toMatchObject({ status: 'known' });
    expect(await writeOne(storage, revision('a', rev(1, 'b'), { body }))).toMatchObject({ status: 'conflict' });
  });

  it('collects a blob that nothing refers to after its grace period, not before', async () => {
    const digest = await put('a');
    under().advance(GRACE_SECONDS - 1);
    await under().sweep();
    expect(await exists(digest)).toBe(true);
    under().advance(1);
    await under().sweep();
    expect(await exists(digest)).toBe(false);
    expect(await under().storage.missingBlobs(DATABASE, [digest])).toEqual([digest]);
    expect(await put('a')).toBe(digest);
    expect(await exists(digest)).toBe(true);
  });

  it.each<[string, (digest: string) => Promise<unknown>]>([
    ['storing it again', () => put('a')],
    ['asking whether it is missing', (digest) => under().storage.missingBlobs(DATABASE, [digest])],
  ])('starts the grace period again on %s', async (_, touch) => {
    const digest = await put('a');
    under().advance(GRACE_SECONDS - 1);
    await touch(digest);
    under().advance(GRACE_SECONDS - 1);
    await under().sweep();
    expect(await exists(digest)).toBe(true);
    await collectGarbage();
    expect(await exists(digest)).toBe(false);
  });

  it('keeps a blob as long as any current document of any collection refers to it', async () => {
    const { storage } = under();
    const digest = await put('a');
    const first = await store(storage, edit('a', { body: referring(digest, digest) }));
    const second = await store(storage, edit('b', { keyspace: DEFAULT, body: referring(digest) }));
    await store(storage, edit('a', { expect: first.rev, deleted: true }));
    under().advance(24 * 3_600);
    await under().sweep();
    await collectGarbage();
    expect(await exists(digest)).toBe(true);
    await store(storage, edit('b', { keyspace: DEFAULT, expect: second.rev, deleted: true }));
    under().advance(24 * 3_600);
    await under().sweep();
    await collectGarbage();
    expect(await exists(digest)).toBe(false);
  });

  it('keeps a blob through updates that still refer to it', async () => {
    const { storage } = under();
    const digest = await put('a');
    let { rev: last } = await store(storage, edit('a', { body: referring(digest) }));
    for (let n = 0; n < 5; n++) {
      ({ rev: last } = await store(
        storage,
        edit('a', { expect: last, body: `${referring(digest).slice(0, -1)},"n":${n}}` }),
      ));
      await collectGarbage();
      expect(await exists(digest)).toBe(true);
    }
  });

  it('keeps the blobs of a superseded body as long as the body', async () => {
    const { storage } = under();
    const digest = await put('a');
    const first = await store(storage, edit('a', { body: referring(digest) }));
    await store(storage, edit('a', { expect: first.rev, body: '{}' }));
    await collectGarbage();
    expect(await storage.readRevision(SENSORS, 'a', first.rev)).toBeDefined();
    expect(await exists(digest)).toBe(true);
    under().advance(24 * 3_600);
    await under().sweep();
    expect(await storage.readRevision(SENSORS, 'a', first.rev)).toBeUndefined();
    await collectGarbage();
    expect(await exists(digest)).toBe(false);
  });

  it('lets the blobs of a superseded body go that is too short to be kept', async () => {
    const { storage } = under();
    const digest = await put('a');
    const body = `{"b":{"@type":"blob","digest":"${digest}"}}`;
    const first = await store(storage, edit('a', { body }));
    await store(storage, edit('a', { expect: first.rev, body: '{}' }));
    await collectGarbage();
    expect(await exists(digest)).toBe(false);
  });

  it('keeps the blobs of a losing branch, lets them go with it and lets them surface with it', async () => {
    const { storage } = under();
    const [winning, losing] = [await put('w'), await put('l')];
    await store(storage, revision('a', rev(1, 'f'), { body: referring(winning) }));
    await store(storage, revision('a', rev(1, 'a'), { body: referring(losing), onConflict: 'branch' }));
    await collectGarbage();
    expect([await exists(winning), await exists(losing)]).toEqual([true, true]);
    // The winner's branch ends; the other one surfaces.
    await store(storage, revision('a', rev(2, 'f'), { history: rev(1, 'f'), deleted: true, onConflict: 'branch' }));
    expect(await current(storage, 'a')).toMatchObject({ rev: rev(1, 'a'), body: referring(losing) });
    under().advance(24 * 3_600);
    await under().sweep();
    await collectGarbage();
    expect([await exists(winning), await exists(losing)]).toEqual([false, true]);
    await store(storage, edit('a', { expect: rev(1, 'a'), deleted: true }));
    under().advance(24 * 3_600);
    await under().sweep();
    await collectGarbage();
    expect(await exists(losing)).toBe(false);
  });

  it('keeps the blobs of whichever side wins a resolved conflict', async () => {
    const { storage } = under();
    for (const [id, localDigit, remoteDigit] of [
      ['local-wins', 'f', 'a'],
      ['remote-wins', 'a', 'f'],
    ] as const) {
      const [local, remote] = [await put(`${id} local`), await put(`${id} remote`)];
      await store(storage, revision(id, rev(1, localDigit), { body: referring(local) }));
      const result = await store(
        storage,
        revision(id, rev(1, remoteDigit), { body: referring(remote), onConflict: 'resolve' }),
      );
      expect(result.resolved).toBe(id === 'local-wins' ? 'local' : 'remote');
      const winner = id === 'local-wins' ? local : remote;
      expect((await current(storage, id))!.body).toContain(winner);
      under().advance(24 * 3_600);
      await under().sweep();
      await collectGarbage();
      expect(await exists(winner)).toBe(true);
    }
  });

  it('lets the blobs of a purged document go', async () => {
    const { storage } = under();
    const [first, second] = [await put('a'), await put('b')];
    const { rev: last } = await store(storage, edit('a', { body: referring(first), expiresAt: START_SECONDS + 60 }));
    await store(storage, edit('a', { expect: last, body: referring(second) }));
    under().advance(60);
    await under().sweep();
    await collectGarbage();
    expect([await exists(first), await exists(second)]).toEqual([false, false]);
  });

  it('serves a blob that is stored while upkeep runs', async () => {
    const { storage } = under();
    const digest = await put('a');
    under().advance(GRACE_SECONDS);
    const [, info, , missing] = await Promise.all([
      under().sweep(),
      storage.putBlob(DATABASE, bytes('a')),
      under().sweep(),
      storage.missingBlobs(DATABASE, [digest]),
    ]);
    expect(info.digest).toBe(digest);
    const blob = (await storage.openBlob(DATABASE, digest))!;
    expect(Buffer.from(await collect(blob.read())).toString()).toBe('a');
    expect([[], [digest]]).toContainEqual(missing);
  });

  it('answers faults of an unknown database', async () => {
    const { storage } = under();
    const fault = { code: 'keyspace.unknown' };
    await expect(storage.putBlob('office', bytes('a'))).rejects.toMatchObject(fault);
    await expect(storage.openBlob('office', digestOf(bytes('a')))).rejects.toMatchObject(fault);
    await expect(storage.missingBlobs('office', [])).rejects.toMatchObject(fault);
  });
}
