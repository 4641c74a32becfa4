import { readFileSync } from 'node:fs';
import type { Role } from '@edgesync/access';
import { formatIssue, parseJson5, readUsers, Report } from '@edgesync/config';
import { hashPassword, MAX_PASSWORD_BYTES } from '@edgesync/platform';
import { writeFileAtomically } from './write-file.js';

export interface NewUser {
  readonly usersFile: string;
  readonly name: string;
  readonly password: string;
  readonly role?: Role;
}

/** The text of the users file, or undefined if there is none. */
export function readUsersFile(file: string): string | undefined {
  try {
    return readFileSync(file, 'utf8');
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined;
    throw error;
  }
}

/**
 * Adds the user to the text of a users file, or replaces password and roles of an existing one. Access rules stay:
 * losing them would open every database to the user.
 * @param text the present users file
 * @returns the new text: JSON, without the comments the old one may have had
 * @throws Error with all that is wrong with the present file or the new user
 */
export async function withUser(text: string, { usersFile, name, password, role }: NewUser): Promise<string> {
  assertValid(text, usersFile);
  if (password === '') throw new Error('the password is empty');
  if (Buffer.byteLength(password) > MAX_PASSWORD_BYTES)
    throw new Error(`the password is longer than the ${MAX_PASSWORD_BYTES} bytes that bcrypt looks at`);
  const value = parseJson5(text, new Report(usersFile).root) as Record<string, { access?: unknown }>;
  const access = Object.hasOwn(value, name) ? value[name]!.access : undefined;
  const user = {
    password: await hashPassword(password),
    ...(role && { roles: [role] }),
    ...(access !== undefined && { access }),
  };
  const entries = Object.entries(value).filter(([other]) => other !== name);
  const changed = `${JSON.stringify(Object.fromEntries([...entries, [name, user]]), null, 2)}\n`;
  assertValid(changed, usersFile);
  return changed;
}

/** Writes a users file that only its owner may read. */
export function writeUsersFile(file: string, text: string): void {
  writeFileAtomically(file, text, 0o600);
}

function assertValid(text: string, file: string): void {
  const result = readUsers(text, file);
  if (!result.ok) throw new Error(result.issues.map(formatIssue).join('\n'));
}
