import { describe, expect, it } from 'vitest';
import { prepare } from '../check/checker.js';
import type { QueryContext } from '../check/context.js';
import type { CompiledStatement, Parameters, RunOptions } from '../plan.js';
import type { Access, Row } from '../rows.js';
import { follow } from './frame.js';
import { decode, encode, type Value } from '../values.js';
import { compile } from './compile.js';
import { bindParameters } from './parameters.js';

const NAMES = ['c', 'd'];
const context: QueryContext = {
  database: 'db',
  keyspace: { scope: '_default', collection: 'c' },
  collections: NAMES.map((collection) => ({ scope: '_default', collection })),
  fullTextIndexes: () => [],
};

const compiledOf = (query: string) => compile(prepare(query, context));

/** An access over bodies that notes what is read. */
class Documents implements Access {
  readonly ordered: boolean;
  readonly read: string[] = [];
  readonly compiled: CompiledStatement;
  closed = 0;
  count?: () => number | undefined;
  private readonly indexed: boolean;

  constructor(
    query: string,
    private readonly bodies: readonly string[],
    { ordered = false, indexed = false }: { ordered?: boolean; indexed?: boolean } = {},
  ) {
    this.compiled = compiledOf(query);
    this.ordered = ordered;
    this.indexed = indexed;
  }

  seeks(): boolean {
    return this.indexed;
  }

  *rows(source: number, keys?: readonly Value[]): Generator<Row, void, undefined> {
    try {
      for (const [index, body] of this.bodies.entries()) {
        this.read.push(`${source}:${index}${keys ? ` ${keys.map((key) => encode(key!)).join()}` : ''}`);
        yield this.compiled.sources[source]!.slots.map((slot) =>
          slot.type === 'property' ? follow(decode(body), slot.path) : slot.type === 'meta' ? `d${index}` : 1,
        );
      }
    } finally {
      this.closed++;
    }
  }

  nested(index: number): Access {
    const nested = this.compiled.nested[index]!;
    return {
      ordered: false,
      seeks: () => false,
      nested: () => this,
      rows: () =>
        this.bodies.map((body) =>
          nested.sources[0]!.slots.map((slot) => (slot.type === 'property' ? follow(decode(body), slot.path) : 1n)),
        ),
    };
  }

  run(parameters: Parameters = new Map(), options?: RunOptions): Generator<string, void, undefined> {
    return this.compiled.run(this, parameters, options);
  }
}

const numbers = (count: number): string[] => Array.from({ length: count }, (_, index) => `{"n":${index}}`);

describe('a compiled statement', () => {
  it('asks for the parts of documents that it reads, each once', () => {
    const { sources } = compiledOf(
      'SELECT a.x, META(a).id AS i, b FROM c a JOIN d b ON b.k = a.x WHERE a.x > 1 AND a.y[0].z = a.x ORDER BY META(b).id',
    );
    const spelled = sources.map(({ slots }) =>
      slots.map((slot) =>
        slot.type === 'property' ? slot.path.join('.') : slot.type === 'meta' ? `#${slot.member}` : '',
      ),
    );
    expect(spelled.map((slots) => slots.sort())).toEqual([
      ['#id', 'x', 'y.0.z'],
      ['', '#id', 'k'],
    ]);
  });

  it('yields a row before it reads the next document', () => {
    const documents = new Documents('SELECT n FROM c WHERE n > 1', numbers(10));
    const rows = documents.run();
    expect(rows.next().value).toBe('{"n":2}');
    expect(documents.read).toHaveLength(3);
    rows.return();
    expect(documents.closed).toBe(1);
  });

  it('stops reading at its limit, and never starts for none', () => {
    const limited = new Documents('SELECT DISTINCT n FROM c LIMIT 2 OFFSET 1', numbers(10));
    expect([...limited.run()]).toEqual(['{"n":1}', '{"n":2}']);
    expect(limited.read).toHaveLength(3);
    for (const query of [
      'SELECT n FROM c LIMIT 0',
      'SELECT n FROM c WHERE false',
      'SELECT n FROM c WHERE 1 = 2 AND n > 1',
    ]) {
      const none = new Documents(query, numbers(10));
      expect([...none.run()]).toEqual([]);
      expect(none.read).toEqual([]);
    }
  });

  it('takes the order of rows from the access', () => {
    const query = 'SELECT n FROM c ORDER BY n DESC LIMIT 2';
    const documents = new Documents(query, ['{"n":9}', '{"n":5}', '{"n":1}'], { ordered: true });
    expect([...documents.run()]).toEqual(['{"n":9}', '{"n":5}']);
    expect(documents.read).toHaveLength(2);
  });

  it.each([
    ['SELECT n FROM c ORDER BY n', true],
    ['SELECT a.n FROM c a JOIN d b ON a.n = b.n ORDER BY a.n, LENGTH(a.s)', true],
    ['SELECT a.n FROM c a JOIN d b ON a.n = b.n ORDER BY a.n, b.n', false],
    ['SELECT n, COUNT(*) AS k FROM c GROUP BY n ORDER BY n', false],
    ['SELECT n FROM c ORDER BY 1', false],
    ['SELECT n FROM c', false],
  ])('says whether an index may serve its order: %s', (query, expected) => {
    expect(compiledOf(query).order !== undefined).toBe(expected);
  });

  it('keeps the first rows of a long sort, equal ones in their order', () => {
    const bodies = Array.from({ length: 500 }, (_, index) => `{"k":${(index * 7919) % 50},"n":${index}}`);
    const all = [...new Documents('SELECT k, n FROM c ORDER BY k DESC', bodies).run()];
    for (const limit of [1, 2, 3, 64, 499, 500, 501])
      expect([...new Documents(`SELECT k, n FROM c ORDER BY k DESC LIMIT ${limit}`, bodies).run()]).toEqual(
        all.slice(0, limit),
      );
    const sorted = all.map((row) => JSON.parse(row) as { k: number; n: number });
    expect(sorted).toEqual([...sorted].sort((a, b) => b.k - a.k || a.n - b.n));
  });

  it('counts without reading where the access can', () => {
    const query = 'SELECT COUNT(*) AS k, COUNT(*) + 1 AS m FROM c WHERE n > 3';
    const counting = new Documents(query, numbers(10));
    counting.count = () => 6;
    expect([...counting.run()]).toEqual(['{"k":6,"m":7}']);
    expect(counting.read).toEqual([]);
    counting.count = () => undefined;
    expect([...counting.run()]).toEqual(['{"k":6,"m":7}']);
    expect(compiledOf('SELECT COUNT(*), n FROM c').countsOnly).toBe(false);
    expect(compiledOf('SELECT COUNT(n) FROM c').countsOnly).toBe(false);
    expect(compiledOf('SELECT COUNT(*) FROM c GROUP BY n').countsOnly).toBe(false);
  });

  it('reads a joined source once, or by its keys', () => {
    const query = 'SELECT META(b).id AS r FROM c a JOIN d b ON b.n = a.n AND b.n + 0 = a.n WHERE a.n < 2';
    const hashed = new Documents(query, [...numbers(3), '{}']);
    expect([...hashed.run()]).toEqual(['{"r":"d0"}', '{"r":"d1"}']);
    expect(hashed.read.filter((entry) => entry.startsWith('1:'))).toHaveLength(4);
    const sought = new Documents(query, numbers(3), { indexed: true });
    expect([...sought.run()]).toEqual(['{"r":"d0"}', '{"r":"d1"}']);
    expect(sought.read.filter((entry) => entry.startsWith('1:'))[0]).toBe('1:0 0,0');
  });

  it('keeps nothing of a source that it goes through once', () => {
    for (const join of ['JOIN d b ON a.n = b.n', 'JOIN d b ON b.n <= a.n', 'LEFT JOIN d b ON b.n = a.n']) {
      const documents = new Documents(`SELECT b.n FROM c a ${join} WHERE a.n = 0`, numbers(50));
      expect([...documents.run(new Map(), { maxHeldRows: 0 })]).toEqual(['{"n":0}']);
      const more = new Documents(`SELECT b.n FROM c a ${join} WHERE a.n < 2`, numbers(50));
      expect(() => [...more.run(new Map(), { maxHeldRows: 0 })]).toThrow(/more than 0 rows/);
    }
  });

  it('does not look for what is MISSING', () => {
    const query = 'SELECT META(a).id AS l, META(b).id AS r FROM c a LEFT JOIN d b ON b.n = a.x';
    const documents = new Documents(query, ['{"n":1}', '{"n":1,"x":1}'], { indexed: true });
    expect([...documents.run()]).toEqual(['{"l":"d0"}', '{"l":"d1","r":"d0"}', '{"l":"d1","r":"d1"}']);
    expect(documents.read.filter((entry) => entry.startsWith('1:'))).toEqual(['1:0 1', '1:1 1']);
  });

  it('asks once whether EXISTS has rows', () => {
    const documents = new Documents('SELECT n FROM c WHERE EXISTS (SELECT 1 FROM d WHERE n = 2)', numbers(3));
    expect([...documents.run()]).toHaveLength(3);
    const none = new Documents('SELECT n FROM c WHERE NOT EXISTS (SELECT 1 FROM d WHERE n = 2)', numbers(3));
    expect([...none.run()]).toEqual([]);
    expect(none.read).toEqual([]);
  });

  it('runs twice at the same time', () => {
    const documents = new Documents('SELECT n, $p AS p FROM c', numbers(2));
    const one = documents.run(new Map([['p', 1n]]));
    const two = documents.run(new Map([['p', 'x']]));
    expect([one.next().value, two.next().value, one.next().value, two.next().value]).toEqual([
      '{"n":0,"p":1}',
      '{"n":0,"p":"x"}',
      '{"n":1,"p":1}',
      '{"n":1,"p":"x"}',
    ]);
  });

  it('writes integers and the text of documents as they are stored', () => {
    const body = '{"i":9007199254740993,"f":1.0,"o":{"a":[1.50,1E2]},"u":"é\\n"}';
    expect([...new Documents('SELECT i, f, o, o.a[0] AS h, u, i + 1 AS j FROM c', [body]).run()]).toEqual([
      '{"i":9007199254740993,"f":1.0,"o":{"a":[1.50,1E2]},"h":1.5,"u":"é\\n","j":9007199254740994}',
    ]);
  });
});

describe('a run', () => {
  it.each([
    'SELECT n FROM c ORDER BY n',
    'SELECT DISTINCT n FROM c',
    'SELECT n, COUNT(*) AS k FROM c GROUP BY n',
    'SELECT ARRAY_AGG(n) AS a FROM c',
    'SELECT a.n FROM c a JOIN d b ON a.n = b.n',
    'SELECT a.n FROM c a JOIN d b ON a.n < b.n',
  ])('holds no more than it may: %s', (query) => {
    const bodies = Array.from({ length: 100 }, (_, index) => `{"n":"${'x'.repeat(100)}${index}"}`);
    if (!query.includes('ARRAY_AGG'))
      expect(() => [...new Documents(query, bodies).run(new Map(), { maxHeldRows: 99 })]).toThrow(/more than 99 rows/);
    expect(() => [...new Documents(query, bodies).run(new Map(), { maxHeldBytes: 10_000 })]).toThrow(/10000 bytes/);
    expect([...new Documents(query, bodies).run(new Map(), { maxHeldRows: 1000 })]).not.toHaveLength(0);
  });

  it('may sort any number of rows of which it keeps few', () => {
    const documents = new Documents('SELECT n FROM c ORDER BY n DESC LIMIT 3', numbers(5000));
    expect([...documents.run(new Map(), { maxHeldRows: 3 })]).toEqual(['{"n":4999}', '{"n":4998}', '{"n":4997}']);
  });

  it.each([
    'SELECT n FROM c WHERE n < 0',
    'SELECT COUNT(*) AS k FROM c',
    'SELECT a.n FROM c a JOIN d b ON a.n < b.n WHERE b.n < 0',
    'SELECT a.n FROM c a LEFT JOIN d b ON a.n > b.n AND b.n < 0 WHERE b.n IS VALUED',
    'SELECT n FROM c a UNNEST a.m AS u WHERE u = 1',
  ])('can be stopped while it finds nothing: %s', (query) => {
    const bodies = Array.from({ length: 2000 }, (_, index) => `{"n":${index},"m":[0,0,0]}`);
    let checks = 0;
    const stop = (): void => {
      if (++checks === 3) throw new Error('stopped');
    };
    const documents = new Documents(query, bodies);
    expect(() => [...documents.run(new Map(), { check: stop })]).toThrow('stopped');
    expect(documents.closed).toBeGreaterThan(0);
  });

  it.each<[string, Value, number | string]>([
    ['a number', 2n, 2],
    ['a whole double', 2, 2],
    ['text', '2', 2],
    ['a negative number', -1n, 0],
    ['a fraction', 2.5, 'error'],
    ['other text', 'x', 'error'],
    ['null', null, 'error'],
    ['MISSING', undefined, 'error'],
  ])('takes a LIMIT from a parameter: %s', (_, value, expected) => {
    const run = (): string[] => [...new Documents('SELECT n FROM c LIMIT $n', numbers(5)).run(new Map([['n', value]]))];
    if (expected === 'error') expect(run).toThrow(/whole number/);
    else expect(run()).toHaveLength(expected as number);
  });
});

it('computes LIMIT and constants from several parameters', () => {
  const parameters = new Map<string, Value>([
    ['a', 1n],
    ['b', 2n],
  ]);
  const documents = new Documents('SELECT n + ($a - $b) * $b AS k FROM c LIMIT $b - $a + $b OFFSET $a', numbers(9));
  expect([...documents.run(parameters)]).toEqual(['{"k":-1}', '{"k":0}', '{"k":1}']);
});

describe('parameters', () => {
  const statement = { parameters: ['a', 'opt_b'] };

  it('are bound exactly', () => {
    const bound = bindParameters(statement, ' {"a": [9007199254740993, 1.0] , "opt_b": null} ');
    expect(encode(bound.get('a')!)).toBe('[9007199254740993,1.0]');
    expect(bound.get('opt_b')).toBeNull();
    expect(bindParameters(statement, '{"a":true}').get('opt_b')).toBeUndefined();
    expect(bindParameters({ parameters: [] }).size).toBe(0);
  });

  it.each([
    [undefined, /missing query parameter \$a/],
    ['{}', /missing query parameter \$a/],
    ['{"a":1,"A":2}', /unknown query parameter "A"/],
    ['[1]', /object/],
    ['{"a":', /JSON/],
  ])('are refused: %s', (json, reason) => {
    expect(() => bindParameters(statement, json)).toThrow(reason);
  });
});
