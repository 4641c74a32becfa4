import 'reflect-metadata';
import type { IndexConfig } from '@edgesync/config';
import type { EditRequest } from '@edgesync/ports';
import { SqliteDatabase } from '../sqlite-database.js';

/**
 * A process that opens a database and then holds it, builds an index of it, writes documents one after the other for ever, or stores a blob whose
 * document it deletes as soon as it is spoken to, two hours later by its clock. It says on standard output what has happened: `open`,
 * `refused <message>`, the number of each acknowledged document, or `stored` and `collected`.
 */
const [path, job] = process.argv.slice(2);
const keyspace = { database: 'plant', scope: '_default', collection: '_default' };
try {
  let hours = 0;
  const now = (): number => Date.now() + hours * 3_600_000;
  if (job === 'index') await fill();
  const byN: IndexConfig = { collection: keyspace, type: 'value', expressions: ['n'] };
  const database = await SqliteDatabase.open({
    name: 'plant',
    path: path!,
    create: true,
    now,
    ...(job === 'index' && { indexes: new Map([['by_n', byN]]) }),
    onImport: {
      progress: ({ rows }) => (job === 'import' && rows > 1_000 ? console.log(`imported ${rows}`) : undefined),
      done: () => undefined,
    },
  });
  console.log('open');
  const keepAlive = setInterval(() => undefined, 60_000);
  if (job === 'index') {
    const watch = (before: number): void => {
      const { done } = database.indexes()[0]!;
      if (done > before) console.log(`built to ${done}`);
      setImmediate(watch, Math.max(done, before));
    };
    watch(0);
  }
  if (job === 'write')
    for (let n = 0; ; n++) {
      const body = JSON.stringify({ n, text: 'x'.repeat(n % 5_000) });
      await database.write([{ type: 'edit', keyspace, id: `doc${n}`, deleted: false, body }]);
      process.stdout.write(`${n}\n`);
    }
  if (job === 'collect') {
    const edit = { type: 'edit', keyspace, id: 'picture' } as const;
    const { digest } = await database.putBlob(Buffer.from('picture'));
    const body = JSON.stringify({ picture: { '@type': 'blob', digest } });
    await database.write([{ ...edit, deleted: false, body }]);
    console.log('stored');
    process.stdin.once('data', () => void collect());
    const collect = async (): Promise<void> => {
      const { rev } = database.read(keyspace, ['picture'])[0]!;
      await database.write([{ ...edit, deleted: true, body: '{}', expect: rev }]);
      hours = 2;
      await database.sweep();
      console.log('collected');
    };
  }
  process.once('SIGTERM', () => {
    clearInterval(keepAlive);
    void database.close();
  });
} catch (error) {
  console.log(`refused ${(error as Error).message}`);
}

/** Many documents, without an index. */
async function fill(): Promise<void> {
  const database = await SqliteDatabase.open({ name: 'plant', path: path!, create: true });
  for (let start = 0; start < 20_000; start += 1_000)
    await database.write(
      Array.from({ length: 1_000 }, (_, n): EditRequest => {
        const body = `{"n":${start + n}}`;
        return { type: 'edit', keyspace, id: `doc${start + n}`, deleted: false, body };
      }),
    );
  await database.close();
}
