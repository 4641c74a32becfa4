import { describe, expect, test } from 'vitest';
import { QueryError } from '../query-error.js';
import type { Statement } from '../statement.js';
import { collectionName } from '../testing/golden.js';
import { prepare } from './checker.js';
import type { QueryContext } from './context.js';

const collections = ['_default', 'people', 'shop.orders', 'shop.customers'].map(collectionName);

const context: QueryContext = {
  database: 'travel',
  keyspace: collectionName('people'),
  collections,
  fullTextIndexes: ({ collection }) => (collection === 'people' ? ['notes', 'names'] : []),
};

const check = (text: string): Statement => prepare(text, context);
const names = (columns: string, rest = 'FROM _'): string[] =>
  check(`SELECT ${columns} ${rest}`).columns.map(({ name }) => name);
const where = (condition: string, from = '_'): unknown => check(`SELECT 1 FROM ${from} WHERE ${condition}`).where;
const property = (...path: (string | number)[]): unknown => ({ type: 'property', source: 0, path });
const literal = (value: unknown): unknown => ({ type: 'literal', value });

function refusal(text: string): QueryError {
  try {
    check(text);
  } catch (error) {
    if (error instanceof QueryError) return error;
    throw error;
  }
  throw new Error(`no error: ${text}`);
}

describe('collections', () => {
  test.each([
    ['_', 'people', '_'],
    ['_default', '_default', '_default'],
    ['_default._default', '_default', '_default'],
    ['travel', '_default', 'travel'],
    ['people', 'people', 'people'],
    ['_default.people', 'people', 'people'],
    ['shop.orders', 'orders', 'orders'],
    ['travel.shop.orders', 'orders', 'orders'],
    ['shop.orders AS o', 'orders', 'o'],
    ['shop.orders o', 'orders', 'o'],
  ])('FROM %s reads %s as %s', (from, collection, alias) => {
    expect(check(`SELECT 1 FROM ${from}`).sources).toMatchObject([{ collection: { collection }, alias, join: 'from' }]);
  });

  test.each(['orders', 'PEOPLE', 'shop.people', 'noscope.orders', '`bad name`'])('FROM %s names none', (from) => {
    expect(refusal(`SELECT 1 FROM ${from}`).message).toMatch('no such collection');
  });

  test('a collection with the name of the database comes before the default collection', () => {
    const named = { ...context, collections: [...collections, collectionName('travel')] };
    expect(prepare('SELECT 1 FROM travel', named).sources).toMatchObject([{ collection: { collection: 'travel' } }]);
  });
});

describe('columns', () => {
  test.each([
    ['name.first, name.first, name.first', ['first', 'first #2', 'first #3']],
    ['name.first, city AS first', ['first #2', 'first']],
    ['city AS `x #2`, age AS x, geo.x', ['x #2', 'x', 'x #3']],
    ['1, age + 1, city, UPPER(city)', ['$1', '$2', 'city', '$3']],
    ['1 AS `$1`, 2', ['$1', '$2']],
    ["'city'", ['$1']],
    ['(city), city COLLATE NOCASE, tags[0], $p, $o.k', ['city', '$1', '$2', '$3', '$4']],
    ['META().ID, META().revisionid, META(), _id, _sequence', ['id', 'revisionID', '_', 'id #2', 'sequence']],
    ['*, _.*, _', ['_', '_ #2', '_ #3']],
    ['city.*', ['city']],
  ])('%s', (columns, expected) => {
    expect(names(columns)).toEqual(expected);
  });

  test('* has one key for each source', () => {
    expect(names('*', 'FROM people p JOIN shop.orders ON p.x = orders.x UNNEST p.tags AS t UNNEST p.more')).toEqual([
      'p',
      'orders',
      't',
      'more',
    ]);
    expect(refusal('SELECT * AS all FROM people p UNNEST p.tags t').message).toMatch('one key for each');
  });
});

describe('names', () => {
  test('aliases are matched ignoring case and hide properties', () => {
    expect(where("C.age > 1 AND c = 'x'", '_ AS c')).toMatchObject({
      left: { left: property('age') },
      right: { left: property() },
    });
  });

  test('a source without an alias is named by its collection, with or without the scope', () => {
    expect(where('shop.orders.total = orders.total', 'shop.orders')).toMatchObject({
      left: property('total'),
      right: property('total'),
    });
    expect(where('shop.status', 'shop.orders')).toEqual(property('shop', 'status'));
    expect(refusal('SELECT 1 FROM shop.orders AS o JOIN people p ON orders.x = p.x').message).toMatch('"orders"');
  });

  test('an alias of a column stands for its expression, with a path behind it', () => {
    const statement = check(
      'SELECT age + 1 AS a, name AS n FROM _ WHERE a = 2 AND n.first = 3 GROUP BY a ORDER BY N.last',
    );
    const sum = { type: 'binary', operator: '+', left: property('age'), right: literal(1n) };
    expect(statement.where).toMatchObject({ left: { left: sum }, right: { left: property('name', 'first') } });
    expect(statement.groupBy).toEqual([sum]);
    expect(statement.orderBy).toEqual([{ expression: property('name', 'last'), descending: false }]);
  });

  test('a column sees the aliases of the columns before it, not its own', () => {
    const { columns } = check('SELECT age AS a, a + 1 AS city, UPPER(city) AS name, name AS x FROM _');
    expect(columns[1]?.expression).toMatchObject({ left: property('age') });
    expect(columns[2]?.expression).toMatchObject({ arguments: [{ operator: '+' }] });
    expect(
      check('SELECT name AS name, later AS y, 1 AS later FROM _').columns.map(({ expression }) => expression),
    ).toEqual([property('name'), property('later'), literal(1n)]);
  });

  test('a quantifier’s variable hides aliases and properties', () => {
    expect(
      where("ANY tags IN tags SATISFIES tags = 'x' AND EVERY t IN tags.sub SATISFIES t = tags END END"),
    ).toMatchObject({
      type: 'quantified',
      depth: 0,
      array: property('tags'),
      satisfies: {
        left: { left: { type: 'variable', depth: 0, path: [] } },
        right: {
          depth: 1,
          array: { type: 'variable', depth: 0, path: ['sub'] },
          satisfies: {
            left: { type: 'variable', depth: 1, path: [] },
            right: { type: 'variable', depth: 0, path: [] },
          },
        },
      },
    });
  });

  test('an alias used inside of a quantifier does not see its variable', () => {
    const statement = check('SELECT (ANY x IN a SATISFIES x = v END) AS c FROM _ WHERE ANY v IN b SATISFIES c END');
    expect(statement.where).toMatchObject({
      depth: 0,
      satisfies: { depth: 1, satisfies: { left: { type: 'variable', depth: 1 }, right: property('v') } },
    });
  });

  test.each([
    ['SELECT city AS x, age AS X FROM _', 'duplicate alias "X"'],
    ['SELECT META(o).id AS o FROM shop.orders o', 'duplicate alias "o"'],
    ['SELECT 1 FROM people JOIN people ON 1', 'duplicate alias "people"'],
    ['SELECT 1 FROM people p UNNEST p.tags AS P', 'duplicate alias "P"'],
    ['SELECT name FROM shop.orders o JOIN people p ON o.x = p.x', '"name" does not begin with the alias of a source'],
    ['SELECT 1 FROM people a JOIN people b ON c.x = a.x JOIN people c ON 1', '"c" cannot be used in ON'],
    ['SELECT META(x).id FROM _', '"x" is no alias of a collection'],
    ['SELECT META(t).id FROM people p UNNEST p.tags t', '"t" is no alias of a collection'],
    ['SELECT META().cas FROM _', 'META() has no member "cas"'],
    ['SELECT META().id.x FROM _', 'META() has no member "id.x"'],
    ['SELECT UPPER(*) FROM people a JOIN people b ON 1', 'several sources'],
  ])('%s: %s', (text, message) => {
    expect(refusal(text).message).toContain(message);
    expect(refusal(text).code).toBe('query.invalid');
  });
});

describe('META', () => {
  test('members ignore case; without an alias it is the first source’s', () => {
    expect(where('META().ID = META(b).expiration', 'people a JOIN people b ON 1')).toMatchObject({
      left: { type: 'meta', source: 0, member: 'id' },
      right: { type: 'meta', source: 1, member: 'expiration' },
    });
  });

  test.each([
    ['META().deleted', true],
    ['_deleted', true],
    ['META()', true],
    ['(META()).deleted', true],
    ['META().id', false],
    ['deleted', false],
  ])('%s makes tombstones candidates: %s', (expression, withDeleted) => {
    expect(check(`SELECT 1 FROM _ WHERE ${expression}`).sources).toMatchObject([{ withDeleted }]);
  });

  test('tombstones of the source named become candidates, no others', () => {
    expect(check('SELECT META(b).deleted FROM people a JOIN people b ON 1').sources).toMatchObject([
      { withDeleted: false },
      { withDeleted: true },
    ]);
  });
});

describe('JOIN and UNNEST', () => {
  test.each([
    ['JOIN people p', 'JOIN needs ON'],
    ['LEFT JOIN people p', 'JOIN needs ON'],
    ['CROSS JOIN people p ON 1', 'CROSS JOIN takes no ON'],
    ['UNNEST [1, 2] AS x', 'UNNEST takes the path of a property'],
    ['UNNEST META(o).id AS x', 'UNNEST takes the path of a property'],
    ['UNNEST o._id AS x', 'UNNEST takes the path of a property'],
    ['UNNEST x.y AS x', 'cannot be used in UNNEST'],
  ])('%s: %s', (join, message) => {
    expect(refusal(`SELECT 1 FROM shop.orders o ${join}`).message).toContain(message);
  });

  test('an UNNEST may begin with an alias, another UNNEST, or a property of the only collection', () => {
    expect(
      check('SELECT 1 FROM _ UNNEST contacts AS c UNNEST c.phones AS ph UNNEST _.tags WHERE type').sources,
    ).toMatchObject([
      { alias: '_' },
      { alias: 'c', array: property('contacts') },
      { alias: 'ph', array: { source: 1, path: ['phones'] } },
      { alias: 'tags', array: property('tags') },
    ]);
  });

  test('without an alias the path of an UNNEST names the item', () => {
    expect(where('p.tags = 1 AND p.tags.x = p.tag', 'people p UNNEST p.tags')).toMatchObject({
      left: { left: { source: 1, path: [] } },
      right: { left: { source: 1, path: ['x'] }, right: { source: 0, path: ['tag'] } },
    });
  });

  test('COUNT(*) counts rows of a join', () => {
    expect(check('SELECT COUNT(*) FROM people a CROSS JOIN people b').columns).toMatchObject([
      { expression: { type: 'aggregate', name: 'COUNT' } },
    ]);
  });
});

describe('aggregates and functions', () => {
  test.each([
    ['SELECT COUNT(*) FROM _', true],
    ['SELECT 1 FROM _ ORDER BY MAX(age)', true],
    ['SELECT city FROM _ GROUP BY city', true],
    ['SELECT city FROM _', false],
  ])('%s groups: %s', (text, grouped) => {
    expect(check(text).grouped).toBe(grouped);
  });

  test.each([
    ['SELECT 1 FROM _ WHERE COUNT(*) > 1', 'COUNT() cannot stand in WHERE'],
    ['SELECT COUNT(*) AS n FROM _ WHERE n > 1', 'COUNT() cannot stand in WHERE'],
    ['SELECT SUM(MAX(age)) FROM _', 'MAX() cannot stand inside of an aggregate'],
    ['SELECT 1 FROM _ GROUP BY SUM(age)', 'SUM() cannot stand in GROUP BY'],
    ['SELECT 1 FROM people a JOIN people b ON COUNT(*)', 'COUNT() cannot stand in ON'],
    ['SELECT ANY x IN a SATISFIES SUM(x) > 1 END FROM _', 'an aggregate cannot read "x"'],
    ['SELECT MAX(city COLLATE NOCASE) FROM _', 'COLLATE cannot stand in MAX()'],
    ['SELECT MIN(1, 2) FROM _', 'MIN() takes 1 argument, not 2'],
    ['SELECT CONCAT(1) FROM _', 'CONCAT() takes 2 arguments or more, not 1'],
    ['SELECT ROUND() FROM _', 'ROUND() takes 1 to 2 arguments, not 0'],
    ['SELECT PREDICTION(m, {}) FROM _', 'PREDICTION() needs machine-learning models'],
    ['SELECT approx_vector_distance(v, [1]) FROM _', 'APPROX_VECTOR_DISTANCE() needs vector search'],
    ['SELECT 5 & 3 FROM _', 'the operator & is not supported'],
  ])('%s: %s', (text, message) => {
    expect(refusal(text).message).toContain(message);
  });

  test('functions have their canonical name', () => {
    expect(where('is_array(a)')).toEqual({ type: 'function', name: 'ISARRAY', arguments: [property('a')] });
  });

  test.each([
    ['LIMIT 2.0', 'LIMIT takes an integer'],
    ["LIMIT '2'", 'LIMIT takes an integer'],
    ['LIMIT null', 'LIMIT takes an integer'],
    ['OFFSET age', 'OFFSET takes an expression without properties'],
    ['LIMIT META().sequence', 'LIMIT takes an expression without properties'],
    ['LIMIT *', 'LIMIT takes an expression without properties'],
    ['LIMIT COUNT(*)', 'COUNT() cannot stand in LIMIT'],
  ])('%s: %s', (clause, message) => {
    expect(refusal(`SELECT 1 AS x FROM _ ${clause}`).message).toContain(message);
  });
});

describe('COLLATE', () => {
  const noCase = { unicode: false, ignoreCase: true, ignoreAccents: false };

  test('reaches every comparison of the expression on its left', () => {
    expect(where("(a = 'x' AND (b LIKE 'y' OR CONTAINS(c, 'z')) COLLATE NOCASE) AND d < 'e'")).toMatchObject({
      left: {
        left: { collation: noCase },
        right: { left: { collation: noCase }, right: { collation: noCase } },
      },
      right: { type: 'binary', operator: '<' },
    });
    expect(
      JSON.stringify(where("a < 'e'"), (_, value: unknown) => (typeof value === 'bigint' ? '' : value)),
    ).not.toMatch('collation');
  });

  test('of an operand in parentheses is that of the comparison', () => {
    expect(where("(city COLLATE NOCASE) = 'oslo'")).toMatchObject({ operator: '=', collation: noCase });
  });

  test('stays with sort and group keys, also by way of an alias', () => {
    const key = { type: 'collate', operand: property('city'), collation: noCase };
    const statement = check(
      'SELECT city COLLATE NOCASE AS c FROM _ GROUP BY city COLLATE NOCASE ORDER BY c, city COLLATE CASE',
    );
    expect(statement.columns[0]?.expression).toEqual(property('city'));
    expect(statement.groupBy).toEqual([key]);
    expect(statement.orderBy.map(({ expression }) => expression)).toEqual([key, property('city')]);
    expect(check('SELECT DISTINCT city COLLATE NOCASE FROM _').columns[0]?.expression).toEqual(key);
  });
});

describe('full text', () => {
  test('MATCH terms leave WHERE and name their source and index', () => {
    const statement = check(
      "SELECT RANK(notes) FROM people a LEFT JOIN people b ON a.x = b.x WHERE MATCH(notes, 'x') AND a.c = 1 AND MATCH(b.names, $t) AND a.d",
    );
    expect(statement.matches).toEqual([
      { source: 0, index: 'notes', text: literal('x') },
      { source: 1, index: 'names', text: { type: 'parameter', name: 't' } },
    ]);
    expect(statement.where).toMatchObject({ operator: 'AND', left: { operator: '=' }, right: property('d') });
    expect(statement.columns[0]?.expression).toEqual({ type: 'rank', match: 0 });
    expect(statement.sources[1]).toMatchObject({ join: 'inner' });
    expect(check("SELECT 1 FROM _ WHERE MATCH(notes, 'x')").where).toBeUndefined();
  });

  test.each([
    ["SELECT 1 FROM _ WHERE MATCH(other, 'x')", 'query.index-missing', 'no full-text index "other"'],
    ["SELECT 1 FROM shop.orders WHERE MATCH(notes, 'x')", 'query.index-missing', 'no full-text index "notes"'],
    ["SELECT 1 FROM _ WHERE MATCH(notes, 'x') OR age = 1", 'query.invalid', 'alone or under AND'],
    ["SELECT 1 FROM _ WHERE NOT MATCH(notes, 'x')", 'query.invalid', 'alone or under AND'],
    ["SELECT MATCH(notes, 'x') FROM _", 'query.invalid', 'alone or under AND'],
    ["SELECT 1 FROM _ WHERE MATCH(notes, 'x') AND MATCH(notes, 'y')", 'query.invalid', 'two MATCH()'],
    ['SELECT 1 FROM _ WHERE MATCH(notes, title)', 'query.invalid', 'the text of MATCH()'],
    ["SELECT 1 FROM _ WHERE MATCH(z.notes, 'x')", 'query.invalid', '"z" is no alias'],
    ["SELECT RANK(names) FROM _ WHERE MATCH(notes, 'x')", 'query.invalid', 'RANK(names) needs MATCH(names, …)'],
  ])('%s: %s %s', (text, code, message) => {
    expect(refusal(text)).toMatchObject({ code });
    expect(refusal(text).message).toContain(message);
  });
});

describe('EXISTS', () => {
  test('has names and parameters of its own', () => {
    const statement = check('SELECT $a FROM _ WHERE EXISTS (SELECT 1 FROM shop.orders o WHERE o.x = $b)');
    expect(statement.parameters).toEqual(['a', 'b']);
    expect(statement.where).toMatchObject({
      type: 'exists',
      statement: { parameters: ['b'], sources: [{ alias: 'o' }] },
    });
  });

  test.each(['p.id', 'META(p).id', 'P'])('%s of the statement around it is refused', (name) => {
    const text = `SELECT 1 FROM people p WHERE EXISTS (SELECT 1 FROM shop.orders o WHERE o.x = ${name})`;
    expect(refusal(text).code).toBe('query.invalid');
  });
});

test('errors of meaning name their place', () => {
  expect(refusal('SELECT 1\nFROM nowhere')).toMatchObject({
    message: 'no such collection "nowhere" (line 2, column 6)',
    place: { line: 2, column: 6, character: 15 },
  });
});

test('where the database is not known, every collection and index exists', () => {
  const statement = prepare("SELECT 1 FROM a.b JOIN c ON 1 WHERE MATCH(c.i, 'x')", {
    ...context,
    collections: 'any',
    fullTextIndexes: () => 'any',
  });
  expect(statement.sources).toMatchObject([{ collection: { scope: 'a' } }, { collection: { scope: '_default' } }]);
  expect(statement.matches).toMatchObject([{ source: 1, index: 'i' }]);
});
