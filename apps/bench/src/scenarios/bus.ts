import { randomBytes } from 'node:crypto';
import { Bus, NatsStorage } from '@edgesync/bus-nats';
import { sampleDocument } from '../load/documents.js';
import { SplitServer } from '../load/split-server.js';
import { residentMb } from '../load/usage.js';
import type { Report } from '../report.js';

const KEYSPACE = { database: 'db', scope: '_default', collection: '_default' };
const DOCUMENTS = 20_000;
const BATCH = 100;
const PAGE = 200;

/** The storage ports over NATS: this process is the caller, the storage service the owner, a third process NATS. */
export async function measureBus(report: Report): Promise<void> {
  await using server = await SplitServer.start(['storage']);
  const bus = await Bus.connect({ servers: server.natsUrl, name: 'bench' });
  const storage = new NatsStorage(bus, { databases: ['db'] });
  try {
    report.add('NATS: resident memory of a storage process, idle', residentMb(server.service('storage').pid), 'MB', {
      atMost: 90,
    });
    const traffic = counter(bus);

    const push = await timed(() => writeAll(storage));
    report.add(`NATS: writes in batches of ${BATCH}, 4 in flight`, perSecond(DOCUMENTS, push), 'documents/s');
    report.add('NATS: round trips per 1,000 documents written', traffic() / 2 / (DOCUMENTS / 1_000), '', {
      atMost: 20,
    });

    const pull = await timed(() => readLog(storage));
    report.add(`NATS: change log with bodies in pages of ${PAGE}`, perSecond(DOCUMENTS, pull), 'documents/s');
    report.add('NATS: round trips per 1,000 documents read', traffic() / 2 / (DOCUMENTS / 1_000), '', { atMost: 20 });

    const point = (index: number) => storage.read(KEYSPACE, [`doc-${(index * 7_919) % DOCUMENTS}`]);
    await inFlight(32, 20_000, point);
    const reads = 60_000;
    report.add(
      'NATS: reads of one document, 32 in flight',
      perSecond(reads, await timed(() => inFlight(32, reads, point))),
      '/s',
      { atLeast: 8_000 },
    );
    const edit = (index: number) =>
      storage.write('db', [
        {
          type: 'edit',
          keyspace: KEYSPACE,
          id: `put-${index}`,
          deleted: false,
          body: JSON.stringify(sampleDocument(1)),
        },
      ]);
    report.add(
      'NATS: durable writes of one document, 32 in flight',
      perSecond(10_000, await timed(() => inFlight(32, 10_000, edit))),
      '/s',
    );

    const content = randomBytes(19 * 1_024 * 1_024);
    let digest = '';
    const up = await timed(async () => ({ digest } = await storage.putBlob('db', content)));
    report.add('NATS: upload of a blob of 19 MB', Math.round(19_000 / up), 'MB/s');
    const down = await timed(async () => {
      for await (const _ of (await storage.openBlob('db', digest))!.read());
    });
    report.add('NATS: download of it', Math.round(19_000 / down), 'MB/s');
    report.add(
      'NATS: resident memory of the storage process after this load',
      residentMb(server.service('storage').pid),
      'MB',
    );
  } finally {
    storage.close();
    await bus.close();
  }
}

async function writeAll(storage: NatsStorage): Promise<void> {
  await inFlight(4, DOCUMENTS / BATCH, (batch) =>
    storage.write(
      'db',
      Array.from({ length: BATCH }, (_, index) => {
        const n = batch * BATCH + index;
        const body = JSON.stringify(sampleDocument(n));
        return { type: 'edit' as const, keyspace: KEYSPACE, id: `doc-${n}`, deleted: false, body };
      }),
    ),
  );
}

async function readLog(storage: NatsStorage): Promise<void> {
  let since = 0;
  for (let more = true; more;) {
    const page = await storage.changes(KEYSPACE, { since, limit: PAGE });
    ({ scanned: since, more } = page);
  }
}

/** Does `count` things, so many at a time. */
async function inFlight(width: number, count: number, action: (index: number) => Promise<unknown>): Promise<void> {
  let next = 0;
  const lane = async (): Promise<void> => {
    while (next < count) await action(next++);
  };
  await Promise.all(Array.from({ length: width }, lane));
}

async function timed(action: () => Promise<unknown>): Promise<number> {
  const start = performance.now();
  await action();
  return performance.now() - start;
}

/** Messages in both directions since the last call. */
function counter(bus: Bus): () => number {
  let last = 0;
  const total = (): number => {
    const { inMsgs, outMsgs } = bus.connection.stats();
    return inMsgs + outMsgs;
  };
  last = total();
  return () => {
    const now = total();
    const difference = now - last;
    last = now;
    return difference;
  };
}

const perSecond = (count: number, milliseconds: number): number => Math.round((count / milliseconds) * 1_000);
