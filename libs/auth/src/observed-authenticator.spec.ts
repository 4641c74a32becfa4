import { describe, expect, it } from 'vitest';
import { readUsers } from '@edgesync/config';
import { ObservedAuthenticator } from './observed-authenticator.js';

const HASH = '$2y$05$abcdefghijklmnopqrstuuVWu8RjbNovPZWAMRdd7iqaaG0mI53Uu';
const basic = (text: string) => `Basic ${Buffer.from(text).toString('base64')}`;

function observed(enableAnonymousUsers: boolean) {
  const users = readUsers(`{alice: {password: '${HASH}'}}`, 'users.json');
  if (!users.ok) throw new Error('users');
  const reported: unknown[][] = [];
  const authenticator = new ObservedAuthenticator(
    {
      users: users.value,
      enableAnonymousUsers,
      key: '0'.repeat(64),
      now: () => 0,
      sleep: async () => {},
      verify: async (password) => password === 'right',
    },
    {
      accepted: (...args) => void reported.push(['accepted', ...args]),
      refused: (...args) => void reported.push(['refused', ...args]),
    },
  );
  return { authenticator, reported };
}

describe('an observer of authentications', () => {
  it('reports accepted users, and whether their password had to be checked', async () => {
    const { authenticator, reported } = observed(false);
    await authenticator.authenticate(basic('alice:right'), '10.0.0.7');
    await authenticator.authenticate(basic('alice:right'), '10.0.0.7');
    expect(reported).toEqual([
      ['accepted', 'alice', '10.0.0.7', false],
      ['accepted', 'alice', '10.0.0.7', true],
    ]);
  });

  it('reports refusals, with the name that was claimed and never the password', async () => {
    const { authenticator, reported } = observed(false);
    await expect(authenticator.authenticate(basic('bob:geheim'), '10.0.0.7')).rejects.toThrow();
    expect(() => authenticator.authenticate('Bearer geheim', '10.0.0.7')).toThrow();
    expect(() => authenticator.authenticate(undefined, '10.0.0.7')).toThrow();
    expect(reported).toEqual([
      ['refused', 'bob', '10.0.0.7', 401],
      ['refused', undefined, '10.0.0.7', 401],
      ['refused', undefined, '10.0.0.7', 401],
    ]);
  });

  it('does not report anonymous requests', async () => {
    const { authenticator, reported } = observed(true);
    await authenticator.authenticate(undefined, '10.0.0.7');
    expect(reported).toEqual([]);
  });
});
