import type { Principal } from '@edgesync/access';
import { describe, expect, it } from 'vitest';
import { DEFAULT, World } from '../testing/world.js';

/** The true time. */
const TRUTH = Date.UTC(2026, 10, 28, 12);
const MINUTE = 60_000;
const DAY = 24 * 60 * MINUTE;
const SOURCES = { anna: 'H0J8SAyCSjSjE+PxM4NQrQ', bert: 'czSYLoW3QpyTXM5g18SElQ', carl: 'qs2IuH4UQ0CY3L4TPSH2OQ' };

type Name = keyof typeof SOURCES;

const user = (name: string): Principal => ({ name, anonymous: false, roles: new Set() });
const timeOf = (vector: string): number => Number(BigInt(`0x${vector.split('@')[0]}`) / 1_000_000n);

/** A server whose clock shows another time than the truth. */
class Box implements AsyncDisposable {
  private constructor(
    readonly world: World,
    private readonly clock: { wall: number },
  ) {}

  static async at(wall: number): Promise<Box> {
    const clock = { wall };
    const uptime = 0;
    return new Box(await World.open({ now: () => clock.wall, uptime: () => uptime }), clock);
  }

  set(wall: number): void {
    this.clock.wall = wall;
  }

  /** A 4.x app of a user writes a document and pushes it. @returns the status of a refusal */
  async push(name: Name, id: string, time: number): Promise<number | undefined> {
    const peer = await this.world.connect({ version: 4, principal: user(name) });
    const rev = `${(BigInt(time) * 1_000_000n).toString(16)}@${SOURCES[name]}`;
    return (await peer.ask('rev', { id, rev }, { by: name })).error?.code;
  }

  async versionTime(id: string): Promise<number> {
    return timeOf((await this.world.storage.read(DEFAULT, [id]))[0]!.vector);
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.world[Symbol.asyncDispose]();
  }
}

describe('R19: a server whose clock is behind', () => {
  it('because it was never set takes what apps write, and writes what apps take', async () => {
    await using box = await Box.at(0);
    expect(await box.push('anna', 'a', TRUTH)).toBeUndefined();
    await box.world.put('rest', {});
    const written = await box.versionTime('rest');
    expect(written).toBeGreaterThan(2 ** 40 / 1_000_000);
    expect(written).toBeLessThan(TRUTH);
    box.set(TRUTH);
    await box.world.put('later', {});
    expect(await box.versionTime('later')).toBeGreaterThanOrEqual(TRUTH - 1);
  });

  it('and who knows it by what it wrote before, takes what a single app writes', async () => {
    await using box = await Box.at(TRUTH - 30 * DAY);
    await box.world.put('before', {});
    box.set(TRUTH - 400 * DAY);
    expect(await box.push('anna', 'a', TRUTH)).toBeUndefined();
  });

  it('without knowing it lets the first app wait, and takes what all write once a second one agrees', async () => {
    await using box = await Box.at(TRUTH - 20 * DAY);
    expect(await box.push('anna', 'a', TRUTH)).toBe(503);
    expect(await box.push('anna', 'a', TRUTH)).toBe(503);
    expect(box.world.faults.at(-1)).toMatch(/the clock of user anna is ahead, or that of this server behind/);
    expect(await box.push('bert', 'b', TRUTH)).toBeUndefined();
    expect(await box.push('anna', 'a', TRUTH)).toBeUndefined();
    expect(Object.keys(await box.world.documents())).toEqual(['a', 'b']);
  });

  it('builds on what is ahead of it, and does not follow it', async () => {
    await using box = await Box.at(TRUTH - 20 * DAY);
    await box.push('anna', 'a', TRUTH);
    await box.push('bert', 'a', TRUTH);
    const [theirs] = await box.world.storage.read(DEFAULT, ['a']);
    const edited = await box.world.put('a', { by: 'rest' }, { expect: theirs!.rev });
    expect(timeOf(edited.vector)).toBeLessThan(TRUTH - 19 * DAY);
    expect(edited.vector).toContain(SOURCES.bert);
    expect(await box.world.documents()).toEqual({ a: '{"by":"rest"}' });
  });
});

describe('R19: an app whose clock is ahead', () => {
  it.each([3 * MINUTE, DAY, 9 * 365 * DAY])('by %d ms moves nothing: others and the server go on', async (ahead) => {
    await using box = await Box.at(TRUTH);
    for (const name of ['anna', 'bert'] as const) expect(await box.push(name, name, TRUTH)).toBeUndefined();
    for (let n = 0; n < 3; n++) expect(await box.push('carl', `bad ${n}`, TRUTH + ahead + n)).toBe(503);
    expect(await box.push('anna', 'a', TRUTH + MINUTE)).toBeUndefined();
    await box.world.put('rest', {});
    expect(await box.versionTime('rest')).toBeLessThanOrEqual(TRUTH);
    expect(Object.keys(await box.world.documents())).toEqual(['a', 'anna', 'bert', 'rest']);
    box.set(TRUTH + ahead);
    expect(await box.push('carl', 'bad 0', TRUTH + ahead)).toBeUndefined();
  });
});

describe('R19: replications between servers whose clocks differ', () => {
  it.each([3, 4] as const)('over version %d pull what is minutes or hours ahead', async (version) => {
    for (const ahead of [5 * MINUTE, 5 * 60 * MINUTE]) {
      await using upper = await Box.at(TRUTH + ahead);
      await using lower = await Box.at(TRUTH);
      await upper.world.put('doc', { n: 1 });
      const failed: unknown[] = [];
      const onDocumentError = (...all: unknown[]): void => void failed.push(all);
      const replication = await upper.world.replicate(lower.world, { version, onDocumentError });
      expect((await replication.ended).error).toBeUndefined();
      expect([replication.deferred, failed]).toEqual([0, []]);
      expect(await lower.world.documents()).toEqual(await upper.world.documents());

      const [pulled] = await lower.world.storage.read(DEFAULT, ['doc']);
      await lower.world.put('doc', { n: 2 }, { expect: pulled!.rev });
      await (
        await upper.world.replicate(lower.world, { version, onDocumentError })
      ).ended;
      expect(await upper.world.documents()).toEqual({ doc: '{"n":2}' });
      expect(failed).toEqual([]);
    }
  });

  it('over version vectors push what is minutes ahead when its time has come, over rev trees at once', async () => {
    await using upper = await Box.at(TRUTH);
    await using lower = await Box.at(TRUTH + 5 * MINUTE);
    await lower.world.put('doc', { n: 1 });
    const failed: unknown[] = [];
    const replicate = async (version: 3 | 4): Promise<number> => {
      const replication = await upper.world.replicate(lower.world, {
        version,
        onDocumentError: (...all) => failed.push(all),
        collections: [{ local: DEFAULT, checkpointId: `cp-${version}` }],
      });
      expect((await replication.ended).error).toBeUndefined();
      return replication.deferred;
    };
    expect(await replicate(4)).toBe(1);
    expect(await upper.world.documents()).toEqual({});
    upper.set(TRUTH + 3 * MINUTE + 1);
    expect(await replicate(4)).toBe(0);
    expect(await upper.world.documents()).toEqual({ doc: '{"n":1}' });
    await lower.world.put('other', {});
    upper.set(TRUTH - 5 * DAY);
    expect(await replicate(3)).toBe(0);
    expect(Object.keys(await upper.world.documents())).toEqual(['doc', 'other']);
    expect(failed).toEqual([]);
  });
});
