import { describe, expect, it } from 'vitest';
import { formatIssue } from './config-issue.js';
import { readConfig } from './read-config.js';
import { checkUsers, readUsers } from './read-users.js';

const HASH = '$2y$05$abcdefghijklmnopqrstuuu3t5BQqTXJZlEfJFqZ4l2Ii1bZbmXSe';
const file = 'users.json';
const read = (users: unknown) => readUsers(typeof users === 'string' ? users : JSON.stringify(users), file);
const issues = (users: unknown) => {
  const result = read(users);
  return result.ok ? [] : result.issues.map(formatIssue);
};

describe('a users file', () => {
  it('reads names, hashes, roles and rules', () => {
    const text = `{ // people
      $schema: 'users.schema.json',
      alice: { password: '${HASH}', roles: ['admin'] },
      night-shift: { password: '${HASH}', access: { 'travel.*': ['read'], 'travel.inventory.hotels': ['write'] } },
    }`;
    expect(read(text)).toEqual({
      ok: true,
      warnings: [],
      value: new Map<string, object>([
        ['alice', { name: 'alice', passwordHash: HASH, roles: new Set(['admin']) }],
        [
          'night-shift',
          {
            name: 'night-shift',
            passwordHash: HASH,
            roles: new Set(),
            access: [
              { pattern: { database: 'travel' }, read: true, write: false },
              { pattern: { database: 'travel', scope: 'inventory', collection: 'hotels' }, read: false, write: true },
            ],
          },
        ],
      ]),
    });
  });

  it.each(['a', 'b', 'y'])('takes bcrypt hashes of variant 2%s', (variant) => {
    expect(issues({ alice: { password: HASH.replace('2y', `2${variant}`) } })).toEqual([]);
  });

  it.each<[unknown, string]>([
    [[], 'users.json: is a list.'],
    [{ alice: HASH }, 'users.json: alice: is a string. It must be an object in { }.'],
    [{ alice: { pasword: HASH } }, 'users.json: alice.pasword: is not a known key. Did you mean "password"?'],
    [{ alice: { password: 'geheim' } }, 'users.json: alice.password: has the wrong form. It must be a bcrypt hash'],
    [{ alice: { password: HASH.replace('2y', '2x') } }, 'alice.password: has the wrong form.'],
    [{ alice: { password: HASH.slice(0, -1) } }, 'alice.password: has the wrong form.'],
    [{ alice: { roles: ['admn'] } }, 'users.json: alice.roles[0]: is "admn". Did you mean "admin"?'],
    [{ alice: { access: { 'a.b.c.d': ['read'] } } }, 'users.json: alice.access["a.b.c.d"]: is not a valid name.'],
    [{ alice: { access: { '*': ['delete'] } } }, 'alice.access["*"][0]: is "delete". It must be "read" or "write".'],
    [{ 'a:b': {} }, 'users.json: ["a:b"]: is not a valid name.'],
    [{ $schema: 1 }, 'users.json: $schema: is a number.'],
    [
      `{bob: {}, alice: {}, bob: {roles: []}}`,
      'users.json: bob: is there twice, at line 1, column 2 and at line 1, col',
    ],
    [`{bob: {access: {a: [], a: ['read']}}}`, 'users.json: bob.access.a: is there twice'],
  ])('%j names the error', (users, message) => expect(issues(users).join('\n')).toContain(message));

  it('never shows what stands in place of a hash', () => {
    expect(issues({ alice: { password: 'geheim' } }).join()).not.toContain('geheim');
  });
});

describe('users and configuration together', () => {
  const check = (users: object, config: object) => {
    const parsed = readUsers(JSON.stringify(users), file);
    const read = readConfig(JSON.stringify({ users: file, ...config }), { file: 'edge.json5', unsupported: [] });
    if (!parsed.ok || !read.ok) throw new Error('the example is invalid');
    const { issues, warnings } = checkUsers(parsed.value, read.value, file);
    return { issues: issues.map(formatIssue), warnings: warnings.map(formatIssue) };
  };
  const databases = (own?: boolean) => ({
    databases: {
      plant: { path: 'plant.cblite2', enable_user_access_control: own },
      other: { path: 'other.cblite2', enable_user_access_control: true },
    },
  });
  const off = { databases: { plant: { path: 'plant.cblite2' } } };
  const bob = (access: object) => ({ bob: { password: HASH, access } });

  it('refuses any access key while access control is off everywhere', () => {
    for (const access of [{}, { '*': ['read'] }])
      expect(check(bob(access), off).issues).toEqual([
        expect.stringContaining("users.json: bob.access: requires setting 'enable_user_access_control: true'"),
      ]);
  });

  it('refuses a user without password while access control is off everywhere', () => {
    expect(check({ bob: {} }, off).issues).toEqual([expect.stringContaining('users.json: bob.password: is missing')]);
    expect(check({ bob: {} }, databases()).issues).toEqual([]);
  });

  it('refuses a rule for a database that never had the switch set', () => {
    const { issues } = check(bob({ 'plant.*': ['read'] }), databases());
    expect(issues).toEqual([expect.stringContaining("database 'plant'")]);
  });

  it('warns of a rule for a database whose own switch is false', () => {
    expect(check(bob({ 'plant.*': ['read'], plant: ['write'] }), databases(false))).toEqual({
      issues: [],
      warnings: [
        expect.stringMatching(
          /database 'plant': access control is not enabled for that database; those rules will be ignored/,
        ),
      ],
    });
  });

  it('warns of a rule for a database that is not configured', () => {
    expect(check(bob({ 'plnt.*': ['read'] }), databases(true)).warnings).toEqual([
      expect.stringContaining("database 'plnt', which is not configured"),
    ]);
  });

  it.each([
    ['plant.line1.sensr', "rule for 'plant.line1.sensr'", "Did you mean 'line1.sensor'?"],
    ['plant.line2.*', "rule for 'plant.line2.*'", 'Shared are line1.sensor, _default.notes.'],
    ['plant', "rule for 'plant'", 'Shared are'],
  ])('warns of a rule for %s, which no shared collection matches', (pattern, problem, fix) => {
    const config = {
      databases: {
        plant: {
          path: 'p.cblite2',
          collections: ['line1.sensor', 'notes'],
          enable_user_access_control: true,
        },
      },
    };
    const { issues, warnings } = check(bob({ [pattern]: ['read'], 'plant.line1.*': [], 'plant.notes': [] }), config);
    expect([issues, warnings]).toEqual([[], [expect.stringContaining(problem)]]);
    expect(warnings[0]).toContain(fix);
  });

  it('attributes the pattern * to no database', () => {
    expect(check(bob({ '*': ['read'] }), databases())).toEqual({ issues: [], warnings: [] });
  });
});
