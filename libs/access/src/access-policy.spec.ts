import fc from 'fast-check';
import { parseKeyspace } from '@edgesync/document';
import { describe, expect, it } from 'vitest';
import { AccessPolicy } from './access-policy.js';
import { parseKeyspacePattern, type AccessRule, type Permission } from './keyspace-pattern.js';
import { ANONYMOUS, type Principal, type Role } from './principal.js';

const rules = (access: Record<string, Permission[]>): AccessRule[] =>
  Object.entries(access).map(([pattern, permissions]) => ({
    pattern: parseKeyspacePattern(pattern),
    read: permissions.includes('read'),
    write: permissions.includes('write'),
  }));

const user = (access?: Record<string, Permission[]>, ...roles: Role[]): Principal => ({
  name: 'somebody',
  anonymous: false,
  roles: new Set(roles),
  ...(access && { access: rules(access) }),
});

const WHO = {
  admin: user({}, 'admin'),
  replicator: user({}, 'replicate'),
  withoutRules: user(),
  nobody: user({}),
  reader: user({ 'travel.inventory.*': ['read'] }),
  dropBox: user({ 'travel.inventory.hotels': ['write'] }),
  mixed: user({ 'travel.*': ['read'], 'travel.inventory.hotels': ['write'] }),
  everywhere: user({ '*': ['read', 'write'] }),
  empty: user({ 'travel.*': [] }),
  anonymous: ANONYMOUS,
};
type Who = keyof typeof WHO;

const ON = new AccessPolicy({ byDefault: true, databases: new Map([['travel', true]]) });
const OFF = new AccessPolicy({ byDefault: false, databases: new Map([['travel', false]]) });

describe('rights under enforcement', () => {
  it.each<[Who, string, string]>([
    ['admin', 'travel.inventory.hotels', 'rw'],
    ['admin', 'missing', 'rw'],
    ['replicator', 'travel', '--'],
    ['withoutRules', 'travel.inventory.hotels', 'rw'],
    ['nobody', 'travel', '--'],
    ['reader', 'travel.inventory.hotels', 'r-'],
    ['reader', 'travel', '--'],
    ['dropBox', 'travel.inventory.hotels', '-w'],
    ['dropBox', 'travel.inventory.airports', '--'],
    ['mixed', 'travel.inventory.hotels', 'rw'],
    ['mixed', 'travel', 'r-'],
    ['everywhere', 'missing.too', 'rw'],
    ['empty', 'travel', '--'],
    ['anonymous', 'travel', '--'],
    ['anonymous', 'missing', '--'],
  ])('%s on %s: %s', (who, keyspace, expected) => {
    const { read, write } = ON.rightsOn(WHO[who], parseKeyspace(keyspace));
    expect(`${read ? 'r' : '-'}${write ? 'w' : '-'}`).toBe(expected);
  });

  it('are all rights for everybody where access control is off', () => {
    for (const who of Object.values(WHO))
      expect(OFF.rightsOn(who, parseKeyspace('travel'))).toEqual({ read: true, write: true });
  });

  it('follow the switch of each database', () => {
    const policy = new AccessPolicy({
      byDefault: true,
      databases: new Map([
        ['travel', true],
        ['open', false],
      ]),
    });
    expect(policy.rightsOn(WHO.nobody, parseKeyspace('open'))).toEqual({ read: true, write: true });
    expect(policy.rightsOn(WHO.nobody, parseKeyspace('travel'))).toEqual({ read: false, write: false });
  });

  it('are the same for a name that does not exist as for a forbidden one, also when one database alone is enforced', () => {
    const policy = new AccessPolicy({
      byDefault: false,
      databases: new Map([
        ['travel', true],
        ['open', false],
      ]),
    });
    for (const name of ['travel', 'missing'])
      expect(() => policy.check(WHO.nobody, parseKeyspace(name), 'any')).toThrow('forbidden');
  });

  it('are worked out once for a principal and a keyspace', () => {
    const keyspace = parseKeyspace('travel');
    const principal = { ...WHO.mixed };
    expect(ON.rightsOn(principal, keyspace)).toBe(ON.rightsOn(principal, keyspace));
  });
});

describe('a check', () => {
  const passes = (who: Who, needed: Permission | 'any', keyspace = 'travel.inventory.hotels'): boolean => {
    try {
      ON.check(WHO[who], parseKeyspace(keyspace), needed);
      return true;
    } catch (error) {
      expect(error).toMatchObject({
        code: 'access.denied',
        message: expect.stringMatching(/^forbidden: .* this keyspace is missing$/),
      });
      return false;
    }
  };

  it.each<[Who, boolean, boolean, boolean]>([
    ['reader', true, false, true],
    ['dropBox', false, true, true],
    ['mixed', true, true, true],
    ['nobody', false, false, false],
  ])('lets %s read: %s, write: %s, any: %s', (who, read, write, any) => {
    expect([passes(who, 'read'), passes(who, 'write'), passes(who, 'any')]).toEqual([read, write, any]);
  });
});

describe('a listing', () => {
  it.each<[Who, boolean, boolean]>([
    ['admin', true, true],
    ['withoutRules', true, true],
    ['reader', true, true],
    ['dropBox', true, false],
    ['everywhere', true, true],
    ['empty', false, false],
    ['nobody', false, false],
    ['anonymous', false, false],
  ])('shows %s the database: %s, which has something to read: %s', (who, seen, readable) => {
    expect(ON.maySeeDatabase(WHO[who], 'travel')).toBe(seen);
    expect(ON.mayReadSome(WHO[who], 'travel')).toBe(readable);
  });

  it('does not show a database that only rules for others name', () => {
    expect(ON.maySeeDatabase(WHO.reader, 'plant')).toBe(false);
    expect(OFF.maySeeDatabase(WHO.reader, 'plant')).toBe(true);
  });

  it('shows a database if and only if some collection in it may be seen', () => {
    const part = fc.constantFrom('a', 'b', '_default');
    const rule: fc.Arbitrary<AccessRule> = fc.record({
      pattern: fc.oneof(
        fc.constant({}),
        fc.record({ database: part }),
        fc.record({ database: part, scope: part }),
        fc.record({ database: part, scope: part, collection: part }),
      ),
      read: fc.boolean(),
      write: fc.boolean(),
    });
    const names = ['a', 'b', '_default'];
    fc.assert(
      fc.property(fc.array(rule), part, fc.boolean(), (access, database, enforced) => {
        const policy = new AccessPolicy({ byDefault: enforced, databases: new Map() });
        const principal: Principal = { name: 'x', anonymous: false, roles: new Set(), access };
        const keyspaces = names.flatMap((scope) => names.map((collection) => ({ database, scope, collection })));
        expect(policy.maySeeDatabase(principal, database)).toBe(
          keyspaces.some((keyspace) => policy.maySee(principal, keyspace)),
        );
        expect(policy.mayReadSome(principal, database)).toBe(
          keyspaces.some((keyspace) => policy.rightsOn(principal, keyspace).read),
        );
      }),
    );
  });
});

describe('enforcement somewhere', () => {
  it.each([
    [false, [], false],
    [false, [false], false],
    [false, [true], true],
    [true, [false], true],
  ])('with %s by default and %j for databases is %s', (byDefault, switches, expected) => {
    const databases = new Map(switches.map((enforced, index) => [`db${index}`, enforced]));
    expect(new AccessPolicy({ byDefault, databases }).enforcedSomewhere).toBe(expected);
  });
});
