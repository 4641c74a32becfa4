import { readUsers, type Users } from '@edgesync/config';
import { describe, expect, it } from 'vitest';
import { Accounts } from './accounts.js';

const hash = (last: string): string => `$2b$05$${'a'.repeat(52)}${last}`;

function usersOf(entries: object): Users {
  const result = readUsers(JSON.stringify(entries), 'users.json');
  if (!result.ok) throw new Error('the example is invalid');
  return result.value;
}

const ALICE = { password: hash('a'), roles: ['admin', 'replicate'], access: { 'a.*': ['read', 'write'], b: ['read'] } };

describe('a user of whom nothing changes', () => {
  it.each([
    ['the same entry', ALICE],
    [
      'the same in another order',
      { ...ALICE, access: { b: ['read'], 'a.*': ['write', 'read'] }, roles: ['replicate', 'admin'] },
    ],
  ])('stays the same account with %s', (_, entry) => {
    const accounts = new Accounts(usersOf({ alice: ALICE }));
    const alice = accounts.find('alice')!;
    expect(accounts.replace(usersOf({ bob: ALICE, alice: entry }))).toBe(0);
    expect(accounts.find('alice')).toBe(alice);
    expect(alice.isCurrent).toBe(true);
  });
});

describe('a user who changes', () => {
  it.each([
    ['removed', undefined],
    ['given another password', { ...ALICE, password: hash('b') }],
    ['given other roles', { ...ALICE, roles: ['admin'] }],
    ['given another permission', { ...ALICE, access: { 'a.*': ['read'], b: ['read'] } }],
    ['given no rules', { password: ALICE.password, roles: ALICE.roles }],
    ['left with empty rules', { ...ALICE, access: {} }],
  ])('ends when %s, and its watchers learn it once', (_, entry) => {
    const accounts = new Accounts(usersOf({ alice: ALICE }));
    const alice = accounts.find('alice')!;
    const calls: string[] = [];
    accounts.watch(alice.principal, () => calls.push(accounts.find('alice')?.isCurrent ? 'changed' : 'gone'));
    const stop = accounts.watch(alice.principal, () => calls.push('not any more'));
    stop();
    expect(accounts.replace(usersOf(entry ? { alice: entry } : {}))).toBe(1);
    accounts.replace(usersOf({}));
    expect(calls).toEqual([entry ? 'changed' : 'gone']);
    expect(accounts.find('alice')).not.toBe(alice);
  });

  it('has ended for those who begin to watch too late', () => {
    const accounts = new Accounts(usersOf({ alice: ALICE }));
    const { principal } = accounts.find('alice')!;
    accounts.replace(usersOf({}));
    let calls = 0;
    accounts.watch(principal, () => calls++);
    expect(calls).toBe(1);
  });

  it('need not verify the same password again', () => {
    const accounts = new Accounts(usersOf({ alice: ALICE }));
    accounts.find('alice')!.verified = 'digest';
    accounts.replace(usersOf({ alice: { ...ALICE, roles: [] } }));
    expect(accounts.find('alice')!.verified).toBe('digest');
    accounts.replace(usersOf({ alice: { ...ALICE, password: hash('b') } }));
    expect(accounts.find('alice')!.verified).toBeUndefined();
  });
});

describe('the bearer of a certificate', () => {
  it('is the user of that name', () => {
    const accounts = new Accounts(usersOf({ alice: ALICE, bob: { roles: ['replicate'] } }));
    expect(accounts.certified('alice')).toBe(accounts.find('alice'));
    expect(accounts.certified('bob').principal).toMatchObject({ name: 'bob', roles: new Set(['replicate']) });
  });

  it('has no role and no right without an entry, and is somebody else once there is one', () => {
    const accounts = new Accounts(usersOf({}));
    const stranger = accounts.certified('carol');
    expect(stranger.principal).toEqual({ name: 'carol', anonymous: false, roles: new Set(), access: [] });
    expect(accounts.certified('carol')).toBe(stranger);
    accounts.replace(usersOf({ dave: ALICE }));
    expect(stranger.isCurrent).toBe(true);
    expect(accounts.replace(usersOf({ dave: ALICE, carol: ALICE }))).toBe(1);
    expect(stranger.isCurrent).toBe(false);
    expect(accounts.certified('carol').principal.roles).toEqual(new Set(['admin', 'replicate']));
  });
});
