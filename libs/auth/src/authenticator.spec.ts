import { ANONYMOUS } from '@edgesync/access';
import { readUsers, type Users } from '@edgesync/config';
import { describe, expect, it } from 'vitest';
import { Authenticator, type AuthenticatorOptions } from './authenticator.js';
import { FREE_ATTEMPTS } from './guess-throttle.js';

/** The hash of "geheim", made by libxcrypt. */
const HASH = '$2y$05$abcdefghijklmnopqrstuuVWu8RjbNovPZWAMRdd7iqaaG0mI53Uu';
const REQUIRED = { code: 'auth.required', message: 'authentication required' };
const basic = (name: string, password: string) => `Basic ${Buffer.from(`${name}:${password}`).toString('base64')}`;

function usersOf(entries: object): Users {
  const result = readUsers(JSON.stringify(entries), 'users.json');
  if (!result.ok) throw new Error('the example is invalid');
  return result.value;
}

const USERS = usersOf({
  alice: { password: HASH, roles: ['admin'] },
  bob: { password: HASH, access: { 'plant.*': ['read'] } },
  certificate: { roles: ['replicate'] },
});

/** An authenticator whose password check is counted, and whose sleeps pass on a clock of their own. */
function authenticatorWith(options: Partial<AuthenticatorOptions> = {}) {
  const checks: string[] = [];
  const sleeps: number[] = [];
  let now = 0;
  const authenticator = new Authenticator({
    users: USERS,
    enableAnonymousUsers: false,
    key: '0'.repeat(64),
    now: () => now,
    sleep: (milliseconds) => {
      sleeps.push(milliseconds);
      now += milliseconds;
      return Promise.resolve();
    },
    verify: (password, hash) => {
      checks.push(`${password} ${hash}`);
      return Promise.resolve(password === 'geheim' && hash === HASH);
    },
    ...options,
  });
  return { authenticator, checks, sleeps };
}

describe('authentication', () => {
  it('verifies a password with bcrypt and returns the principal', async () => {
    const { authenticator } = authenticatorWith({ verify: undefined });
    const alice = await authenticator.authenticate(basic('alice', 'geheim'), '::1');
    expect(alice).toEqual({ name: 'alice', anonymous: false, roles: new Set(['admin']) });
    const bob = await authenticator.authenticate(basic('bob', 'geheim'), '::1');
    expect(bob.access).toEqual([{ pattern: { database: 'plant' }, read: true, write: false }]);
    await expect(authenticator.authenticate(basic('alice', 'Geheim'), '::1')).rejects.toMatchObject(REQUIRED);
  });

  it('answers a verified password at once, without another check', async () => {
    const { authenticator, checks } = authenticatorWith();
    const first = await authenticator.authenticate(basic('alice', 'geheim'), '1.1.1.1');
    const second = authenticator.authenticate(basic('alice', 'geheim'), '2.2.2.2');
    expect(second).toBe(first);
    expect(checks).toHaveLength(1);
  });

  it('keeps no password', async () => {
    const { authenticator } = authenticatorWith();
    await authenticator.authenticate(basic('alice', 'geheim'), '1.1.1.1');
    const seen = new Set<unknown>();
    const texts: string[] = [];
    const visit = (value: unknown) => {
      if (typeof value === 'string') texts.push(value);
      if (typeof value !== 'object' || value === null || seen.has(value)) return;
      seen.add(value);
      if (value instanceof Map || value instanceof Set) for (const member of value) visit(member);
      Object.values(value).forEach(visit);
    };
    visit(authenticator);
    expect(texts).toContain(HASH);
    expect(texts.join()).not.toMatch(/geheim|Z2VoZWlt/);
  });

  it('checks a wrong password again each time, also after the right one', async () => {
    const { authenticator, checks } = authenticatorWith();
    await authenticator.authenticate(basic('alice', 'geheim'), '1.1.1.1');
    for (let round = 0; round < 2; round++)
      await expect(authenticator.authenticate(basic('alice', 'wrong'), '1.1.1.1')).rejects.toMatchObject(REQUIRED);
    expect(checks).toHaveLength(3);
    expect(authenticator.authenticate(basic('alice', 'geheim'), '1.1.1.1')).toMatchObject({ name: 'alice' });
  });

  it('verifies once when a client opens many connections together', async () => {
    const { authenticator, checks, sleeps } = authenticatorWith();
    const answers = Array.from({ length: 50 }, async () =>
      authenticator.authenticate(basic('bob', 'geheim'), '1.1.1.1'),
    );
    for (const principal of await Promise.all(answers)) expect(principal.name).toBe('bob');
    expect(checks).toHaveLength(1);
    expect(sleeps).toEqual([]);
  });
});

describe('a failure', () => {
  it('of an unknown user is like that of a known one: the same error after a check of a hash of a known cost', async () => {
    const { authenticator, checks } = authenticatorWith();
    for (const name of ['mallory', 'certificate', 'alice'])
      await expect(authenticator.authenticate(basic(name, 'guess'), '1.1.1.1')).rejects.toMatchObject(REQUIRED);
    expect(checks).toEqual([
      expect.stringMatching(/^guess \$2b\$05\$\.{53}$/),
      expect.stringMatching(/^guess \$2b\$05\$\.{53}$/),
      `guess ${HASH}`,
    ]);
  });

  it('takes the cost of some user for an unknown one, always the same', async () => {
    const users = usersOf({ cheap: { password: HASH }, costly: { password: HASH.replace('$05', '$12') } });
    const { authenticator, checks } = authenticatorWith({ users });
    const names = Array.from({ length: 20 }, (_, index) => `nobody ${index}`);
    for (const name of [...names, ...names])
      await expect(authenticator.authenticate(basic(name, 'guess'), name)).rejects.toMatchObject(REQUIRED);
    const costs = checks.map((check) => check.slice('guess $2b$'.length, 'guess $2b$'.length + 2));
    expect(costs.slice(20)).toEqual(costs.slice(0, 20));
    expect(new Set(costs)).toEqual(new Set(['05', '12']));
  });

  it.each([undefined, '', 'Bearer abc', 'Basic !', basic('alice', 'geheim').replace('Basic', 'Digest')])(
    'is what %j gets without a check',
    (header) => {
      const { authenticator, checks } = authenticatorWith();
      expect(() => authenticator.authenticate(header, '1.1.1.1')).toThrow('authentication required');
      expect(checks).toEqual([]);
    },
  );
});

describe('anonymous access', () => {
  it('is for requests without credentials, if it is on', () => {
    const { authenticator } = authenticatorWith({ enableAnonymousUsers: true });
    expect(authenticator.authenticate(undefined, '1.1.1.1')).toBe(ANONYMOUS);
  });

  it('is no way out for wrong or malformed credentials', async () => {
    const { authenticator } = authenticatorWith({ enableAnonymousUsers: true });
    await expect(authenticator.authenticate(basic('alice', 'wrong'), '1.1.1.1')).rejects.toMatchObject(REQUIRED);
    expect(() => authenticator.authenticate('Bearer abc', '1.1.1.1')).toThrow('authentication required');
  });
});

describe('a guesser', () => {
  const guess = (authenticator: Authenticator, attempt: number, address = '6.6.6.6') =>
    Promise.resolve(authenticator.authenticate(basic('alice', `guess ${attempt}`), address)).catch(
      (error: { code: string }) => error.code,
    );

  it('is slowed down more and more', async () => {
    const { authenticator, sleeps } = authenticatorWith();
    for (let attempt = 0; attempt < FREE_ATTEMPTS + 4; attempt++)
      expect(await guess(authenticator, attempt)).toBe('auth.required');
    expect(sleeps).toHaveLength(4);
    expect(sleeps).toEqual([...sleeps].sort((a, b) => a - b));
  });

  it('slows down neither the user elsewhere nor those already known', async () => {
    const { authenticator, sleeps } = authenticatorWith();
    await authenticator.authenticate(basic('bob', 'geheim'), '6.6.6.6');
    for (let attempt = 0; attempt < FREE_ATTEMPTS; attempt++) await guess(authenticator, attempt);
    expect(authenticator.authenticate(basic('bob', 'geheim'), '6.6.6.6')).toMatchObject({ name: 'bob' });
    expect(await authenticator.authenticate(basic('alice', 'geheim'), '1.1.1.1')).toMatchObject({ name: 'alice' });
    expect(sleeps).toEqual([]);
  });

  it('that floods the server delays others by no more than a few checks, and has to wait', async () => {
    const order: string[] = [];
    const { authenticator } = authenticatorWith({
      sleep: () => Promise.resolve(),
      verify: async (password) => {
        order.push(password);
        await new Promise((resolve) => setImmediate(resolve));
        return password === 'geheim';
      },
    });
    const flood = Array.from({ length: 200 }, (_, index) =>
      Promise.resolve(authenticator.authenticate(basic(`user ${index}`, `guess ${index}`), '6.6.6.6')).catch(
        (error: { code: string }) => error.code,
      ),
    );
    const alice = await authenticator.authenticate(basic('alice', 'geheim'), '1.1.1.1');
    expect(alice.name).toBe('alice');
    expect(order.indexOf('geheim')).toBeLessThan(6);
    const outcomes = await Promise.all(flood);
    expect(new Set(outcomes)).toEqual(new Set(['auth.required', 'auth.throttled']));
  });
});

describe('a client certificate', () => {
  const valid = basic('alice', 'geheim');

  it.each([
    ['alone identifies the user', undefined, 'bob'],
    ['gives way to a valid password', valid, 'alice'],
    ['counts when the password is wrong', basic('alice', 'wrong'), 'bob'],
    ['counts when the header is malformed', 'Bearer abc', 'bob'],
  ])('%s', async (_, header, name) => {
    const { authenticator } = authenticatorWith({ enableAnonymousUsers: true });
    for (let round = 0; round < 2; round++)
      expect(await authenticator.authenticate(header, '1.1.1.1', 'bob')).toMatchObject({ name });
  });

  it('in a name without an entry makes a user without role and rules', () => {
    const { authenticator } = authenticatorWith();
    const stranger = authenticator.authenticate(undefined, '1.1.1.1', 'stranger');
    expect(stranger).toEqual({ name: 'stranger', anonymous: false, roles: new Set(), access: [] });
  });
});

describe('other users', () => {
  it('count from the next request on', async () => {
    const { authenticator } = authenticatorWith();
    await authenticator.authenticate(basic('bob', 'geheim'), '1.1.1.1');
    authenticator.replaceUsers(usersOf({ carol: { password: HASH } }));
    await expect(authenticator.authenticate(basic('bob', 'geheim'), '1.1.1.1')).rejects.toMatchObject(REQUIRED);
    expect(await authenticator.authenticate(basic('carol', 'geheim'), '1.1.1.1')).toMatchObject({ name: 'carol' });
  });

  it('leave those who stay as they are', async () => {
    const { authenticator, checks } = authenticatorWith();
    const bob = await authenticator.authenticate(basic('bob', 'geheim'), '1.1.1.1');
    expect(authenticator.replaceUsers(usersOf({ bob: { password: HASH, access: { 'plant.*': ['read'] } } }))).toBe(2);
    expect(authenticator.authenticate(basic('bob', 'geheim'), '1.1.1.1')).toBe(bob);
    expect(checks).toHaveLength(1);
  });

  it('end what was begun by those who are gone', async () => {
    const { authenticator } = authenticatorWith({ enableAnonymousUsers: true });
    const ended: string[] = [];
    for (const header of [valid('bob'), valid('alice'), undefined]) {
      const principal = await authenticator.authenticate(header, '1.1.1.1');
      authenticator.watch(principal, () => ended.push(principal.name ?? 'anonymous'));
    }
    authenticator.replaceUsers(usersOf({ alice: { password: HASH, roles: ['admin'] } }));
    expect(ended).toEqual(['bob']);
  });

  it.each([
    ['may do something else now', { bob: { password: HASH, access: {} } }, { name: 'bob', access: [] }],
    ['is gone', {}, undefined],
    ['has another password', { bob: { password: HASH.replace(/.$/, 'v') } }, undefined],
  ])('decide when they come while the password is checked of a user who %s', async (_, entries, expected) => {
    let changed = false;
    const { authenticator } = authenticatorWith({
      verify: async (password, hash) => {
        if (!changed) authenticator.replaceUsers(usersOf(entries));
        changed = true;
        return password === 'geheim' && hash === HASH;
      },
    });
    const answer = Promise.resolve(authenticator.authenticate(valid('bob'), '1.1.1.1'));
    if (expected) expect(await answer).toMatchObject(expected);
    else await expect(answer).rejects.toMatchObject(REQUIRED);
  });

  const valid = (name: string): string => basic(name, 'geheim');
});
