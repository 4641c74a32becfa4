import { describe, expect, it } from 'vitest';
import { costOf, hashPassword, unmatchableHash, verifyPassword } from './password-hash.js';

/** The first three are test vectors of the crypt_blowfish library; the last one was made by libxcrypt. */
const VECTORS: [string, string][] = [
  ['U*U', '$2a$05$CCCCCCCCCCCCCCCCCCCCC.E5YPO9kmyuRGyh0XouQYb4YMJKvyOeW'],
  ['U*U*U', '$2a$05$XXXXXXXXXXXXXXXXXXXXXOAcXxm9kjPGEMsLznoKqmqw7tc8WCx4a'],
  ['', '$2a$05$CCCCCCCCCCCCCCCCCCCCC.7uG0VCzI2bS7j6ymqJi9CdcdxiRTWNy'],
  ['geheim', '$2y$05$abcdefghijklmnopqrstuuVWu8RjbNovPZWAMRdd7iqaaG0mI53Uu'],
];

describe('password hashes', () => {
  it.each(VECTORS)('the password %j belongs to %s in every sound variant', async (password, hash) => {
    for (const variant of ['$2a', '$2b', '$2y']) {
      const same = hash.replace(/^\$2[ay]/, variant);
      expect(await verifyPassword(password, same)).toBe(true);
      expect(await verifyPassword(`${password}x`, same)).toBe(false);
    }
  });

  it('are made so that they verify, each with its own salt', async () => {
    const [first, second] = await Promise.all([hashPassword('grüße'), hashPassword('grüße')]);
    expect(first).toMatch(/^\$2b\$10\$[./A-Za-z0-9]{53}$/);
    expect(first).not.toBe(second);
    expect(await verifyPassword('grüße', first)).toBe(true);
    expect(costOf(first)).toBe(10);
  });

  it('can be made for a cost so that no password fits', async () => {
    const hash = unmatchableHash(5);
    expect(hash).toMatch(/^\$2b\$05\$[./A-Za-z0-9]{53}$/);
    expect(await verifyPassword('', hash)).toBe(false);
  });
});
