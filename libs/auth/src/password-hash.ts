import bcrypt from 'bcrypt';

/** bcrypt looks at no more than this many bytes of a password. */
export const MAX_PASSWORD_BYTES = 72;

/** About 60 ms on a small machine: costly for a guesser. A client pays it once, as verified passwords are remembered. */
const COST = 10;

/** The bcrypt hash of a password, as the users file holds it. */
export function hashPassword(password: string): Promise<string> {
  return bcrypt.hash(password, COST);
}

/**
 * Whether the password belongs to the hash. Runs in the thread pool. Variant `2y`, which `htpasswd` writes, is another
 * name of `2b`.
 */
export function verifyPassword(password: string, hash: string): Promise<boolean> {
  return bcrypt.compare(password, hash.replace(/^\$2y/, '$2b'));
}

/** The cost (base-2 logarithm of the rounds) of a bcrypt hash. */
export function costOf(hash: string): number {
  return Number(hash.slice(4, 6));
}

/** A well-formed hash of that cost which belongs to no known password. */
export function unmatchableHash(cost: number): string {
  return `$2b$${String(cost).padStart(2, '0')}$${'.'.repeat(22)}${'.'.repeat(31)}`;
}
