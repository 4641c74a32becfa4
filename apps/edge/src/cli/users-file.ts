import { readFileSync } from 'node:fs';
import { resolve } from 'node:path';
import { PERMISSIONS } from '@edgesync/access';
import { hashPassword, MAX_PASSWORD_BYTES } from '@edgesync/auth';
import {
  didYouMean,
  formatIssue,
  hasComments,
  parseJson5,
  readConfig,
  readUsers,
  Report,
  type EdgeConfig,
  type UserEntry,
} from '@edgesync/config';
import type { UserChange } from './arguments.js';
import { writeFileAtomically } from './write-file.js';

/** One entry as the file has it. */
interface WrittenUser {
  password?: unknown;
  roles?: unknown;
  access?: Record<string, unknown>;
}

/** The users file of a command: its text, and what it will be. */
export class UsersFile {
  private members: Readonly<Record<string, WrittenUser>>;
  /** Whether writing the file loses comments. */
  readonly hasComments: boolean;

  /** @throws Error with every issue of the present text */
  constructor(
    readonly path: string,
    text: string,
  ) {
    assertValid(text, path);
    this.members = parseJson5(text, new Report(path).root) as Record<string, WrittenUser>;
    this.hasComments = hasComments(text);
  }

  /** @returns undefined if there is no such file */
  static read(path: string): UsersFile | undefined {
    try {
      return new UsersFile(path, readFileSync(path, 'utf8'));
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined;
      throw error;
    }
  }

  get users(): UserEntry[] {
    const read = readUsers(this.text, this.path);
    return read.ok ? [...read.value.values()] : [];
  }

  has(name: string): boolean {
    return name !== '$schema' && Object.hasOwn(this.members, name);
  }

  hasPassword(name: string): boolean {
    return this.has(name) && this.members[name]!.password !== undefined;
  }

  /** Whether some user has access rules, with which a server starts only where access control is on. */
  get hasAccessRules(): boolean {
    return this.users.some(({ access }) => access !== undefined);
  }

  /**
   * Adds a user, or changes what `change` names of an existing one.
   * @throws Error with what is wrong with the password, the name or the rules; nothing is changed then
   */
  async set(name: string, change: UserChange, newAccess?: Record<string, unknown>): Promise<void> {
    const user: WrittenUser = this.has(name) ? { ...this.members[name] } : newAccess ? { access: newAccess } : {};
    if (change.noPassword) delete user.password;
    else if (change.password !== undefined) user.password = await hashOf(change.password);
    if (change.role === 'none') delete user.roles;
    else if (change.role) user.roles = [change.role];
    const access = change.access.reduce(withRule, user.access);
    if (access === undefined) delete user.access;
    else user.access = access;
    this.replace({ ...this.members, [name]: user });
  }

  /** @throws Error if there is no such user */
  remove(name: string): void {
    if (!this.has(name)) {
      const meant = didYouMean(
        name,
        this.users.map((user) => user.name),
      );
      throw new Error(`${this.path} has no user ${name}${meant === undefined ? '' : `; did you mean ${meant}?`}`);
    }
    const { [name]: _, ...others } = this.members;
    this.replace(others);
  }

  /** Only the owner of a users file may read it. */
  write(): void {
    writeFileAtomically(this.path, this.text, 0o600);
  }

  private get text(): string {
    return `${JSON.stringify(this.members, null, 2)}\n`;
  }

  private replace(members: Readonly<Record<string, WrittenUser>>): void {
    assertValid(JSON.stringify(members), this.path);
    this.members = members;
  }
}

/** The configuration behind `--config`, whose files are not looked at. @throws Error with every issue */
export function configOf(file: string): EdgeConfig {
  const read = readConfig(readFileSync(file, 'utf8'), { file, resolvePath: (path) => resolve(path) });
  if (!read.ok) throw new Error(read.issues.map(formatIssue).join('\n'));
  return read.value;
}

export const enforcesAccess = ({ enableUserAccessControl, databases }: EdgeConfig): boolean =>
  enableUserAccessControl || [...databases.values()].some((database) => database.enableUserAccessControl);

/** Applies one `--access` to the rules: undefined stands for a user without rules, who may do everything. */
function withRule(access: Record<string, unknown> | undefined, rule: string): Record<string, unknown> | undefined {
  if (rule === 'none') return {};
  if (rule === 'all') return undefined;
  const equals = rule.lastIndexOf('=');
  const [keyspace, rights] = [rule.slice(0, equals), rule.slice(equals + 1)];
  if (equals < 1) throw new Error(`--access is KEYSPACE=read,write, KEYSPACE=none, none or all; not ${rule}`);
  const { [keyspace]: _, ...others } = access ?? {};
  if (rights === 'none') return others;
  const permissions = rights.split(',').map((right) => right.trim());
  const unknown = permissions.find((right) => !(PERMISSIONS as readonly string[]).includes(right));
  if (unknown !== undefined) throw new Error(`--access ${rule}: the rights are read and write, not "${unknown}"`);
  return { ...others, [keyspace]: permissions };
}

async function hashOf(password: string): Promise<string> {
  if (password === '') throw new Error('the password is empty');
  if (Buffer.byteLength(password) > MAX_PASSWORD_BYTES)
    throw new Error(`the password is longer than the ${MAX_PASSWORD_BYTES} bytes that bcrypt looks at`);
  return hashPassword(password);
}

function assertValid(text: string, file: string): void {
  const result = readUsers(text, file);
  if (!result.ok) throw new Error(result.issues.map(formatIssue).join('\n'));
}
