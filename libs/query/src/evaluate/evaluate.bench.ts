import { test } from 'vitest';
import { prepare } from '../check/checker.js';
import type { Access, Row } from '../rows.js';
import { decode } from '../values.js';
import { compile } from './compile.js';

const COUNT = 100_000;
const CITIES = ['"Montburg"', '"Oslo"', '"Lisbon"', '"São Paulo"', '"Leeds"', '"Osaka"', '"Cairo"', '"Lyon"'];

/** Properties of one document as storage hands them over: pieces of JSON. */
function fragment(index: number, name: string): string | null {
  switch (name) {
    case 'city':
      return CITIES[index % CITIES.length]!;
    case 'amount':
      return index % 3 === 0 ? `${index % 1000}.5` : String(index % 1000);
    case 'note':
      return `"the river ${index % 100} runs past a stone and another ${index % 7}"`;
    case 'tags':
      return `["red","t${index % 20}","blue"]`;
    case 'items':
      return `[{"sku":"S${index % 100}","qty":${index % 9}},{"sku":"S${index % 50}","qty":2}]`;
    default:
      return null;
  }
}

const context = {
  database: 'db',
  keyspace: { scope: '_default', collection: 'bench' },
  collections: [{ scope: '_default', collection: 'bench' }],
  fullTextIndexes: () => [],
};

/** Text as SQLite hands it over: flat in memory, not a rope of the pieces it was made of. */
const flat = (text: string | null): string | null => (text === null ? null : Buffer.from(text).toString());

/** Decodes rows as storage does, one after the other. */
function run(query: string): () => void {
  const compiled = compile(prepare(query, context));
  const pieces = compiled.sources.map(({ slots }) =>
    Array.from({ length: COUNT }, (_, index) =>
      slots.map((slot) =>
        slot.type === 'property'
          ? flat(fragment(index, slot.path[0] as string))
          : `"doc-${String(index).padStart(7, '0')}"`,
      ),
    ),
  );
  const access: Access = {
    ordered: false,
    seeks: () => false,
    nested: () => access,
    *rows(source): Generator<Row, void, undefined> {
      for (const row of pieces[source]!) yield row.map(decode);
    },
  };
  return () => {
    let bytes = 0;
    for (const row of compiled.run(access, new Map())) bytes += row.length;
    if (bytes < 0) throw new Error('unreachable');
  };
}

const QUERIES = [
  "SELECT META().id AS id, amount FROM bench WHERE city = 'Montburg'",
  'SELECT META().id AS id, amount FROM bench',
  "SELECT META().id AS id FROM bench WHERE city = 'Montburg' AND amount > 900",
  'SELECT META().id AS id, amount FROM bench ORDER BY amount DESC LIMIT 10',
  'SELECT META().id AS id, amount FROM bench ORDER BY amount DESC',
  'SELECT city, COUNT(*) AS n FROM bench GROUP BY city',
  'SELECT city, AVG(amount) AS a, SUM(amount) AS s FROM bench GROUP BY city',
  'SELECT DISTINCT city FROM bench',
  "SELECT META().id AS id FROM bench WHERE note LIKE '%river 5%stone%'",
  "SELECT META().id AS id FROM bench WHERE ANY t IN tags SATISFIES t = 't7' END",
  "SELECT META(b).id AS id, i.qty FROM bench b UNNEST b.items i WHERE i.sku = 'S42'",
  'SELECT i.sku, SUM(i.qty) AS q FROM bench b UNNEST b.items i GROUP BY i.sku',
  "SELECT META(b).id AS id FROM bench a JOIN bench b ON META(b).id = META(a).id WHERE a.city = 'Oslo'",
  "SELECT META().id AS id FROM bench WHERE REGEXP_LIKE(note, 'river 5.*stone')",
  'SELECT COUNT(*) AS n FROM bench',
];

test(`statements over ${COUNT} documents`, { timeout: 600_000 }, async ({ bench }) => {
  const options = { iterations: 10, time: 0, warmupIterations: 3, warmupTime: 0 };
  await bench.compare(...QUERIES.map((query) => bench(query, run(query))), options);
});
