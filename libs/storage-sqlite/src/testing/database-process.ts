import 'reflect-metadata';
import { SqliteDatabase } from '../sqlite-database.js';

/**
 * A process that opens a database and then either holds it or writes documents one after the other for ever, saying on
 * standard output what has happened: `open`, `refused <message>` or the number of each acknowledged document.
 */
const [path, job] = process.argv.slice(2);
const keyspace = { database: 'plant', scope: '_default', collection: '_default' };
try {
  const database = await SqliteDatabase.open({ name: 'plant', path: path!, create: true });
  console.log('open');
  const keepAlive = setInterval(() => undefined, 60_000);
  if (job === 'write')
    for (let n = 0; ; n++) {
      const body = JSON.stringify({ n, text: 'x'.repeat(n % 5_000) });
      await database.write([{ type: 'edit', keyspace, id: `doc${n}`, deleted: false, body }]);
      process.stdout.write(`${n}\n`);
    }
  process.once('SIGTERM', () => {
    clearInterval(keepAlive);
    void database.close();
  });
} catch (error) {
  console.log(`refused ${(error as Error).message}`);
}
