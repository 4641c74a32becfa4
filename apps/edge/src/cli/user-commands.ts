import { formatPattern } from '@edgesync/access';
import type { UserEntry } from '@edgesync/config';
import type { AddUserCommand } from './arguments.js';
import type { CommandLineIo } from './main.js';
import { configOf, enforcesAccess, UsersFile } from './users-file.js';

/** `--add-user`: adds a user, or changes what the command line names of an existing one. */
export async function addUser(command: AddUserCommand, io: CommandLineIo): Promise<void> {
  const { name, configFile } = command;
  const config = configFile === undefined ? undefined : configOf(configFile);
  const path = command.usersFile ?? config?.usersFile;
  if (path === undefined) throw new Error(`${configFile} names no users file. Set its key users.`);
  if (config && !enforcesAccess(config) && command.access.length > 0)
    throw new Error(
      `access control is off in ${configFile}, and the server refuses access rules then. Set enable_user_access_control: true first.`,
    );
  if (config && !enforcesAccess(config) && command.noPassword)
    throw new Error(`access control is off in ${configFile}, and every user needs a password then.`);
  const file = UsersFile.read(path) ?? (command.create ? new UsersFile(path, '{}') : undefined);
  if (!file) throw new Error(`${path} does not exist. Add --create to make it.`);

  const isNew = !file.has(name);
  // Without a configuration, rules in the file or on the command line imply that access control is on.
  const enforced = config ? enforcesAccess(config) : file.hasAccessRules || command.access.length > 0 || undefined;
  const password = await passwordFor(command, isNew || !file.hasPassword(name), io);
  const startsClosed = isNew && enforced === true && command.role !== 'admin';
  await file.set(name, { ...command, ...(password !== undefined && { password }) }, startsClosed ? {} : undefined);
  file.write();
  if (file.hasComments) io.err(`${path}: comments were not kept.`);
  const user = file.users.find((entry) => entry.name === name)!;
  io.out(`${path}: ${isNew ? 'added' : 'changed'} the user ${name}. A running server takes it over by itself.`);
  io.out(rightsOf(user, enforced));
}

/** The new password; undefined if the present one stays. */
async function passwordFor(
  command: AddUserCommand,
  isMissing: boolean,
  io: CommandLineIo,
): Promise<string | undefined> {
  const { password, noPassword, name, role, access } = command;
  if (password !== undefined) {
    io.err('Other users of this machine can see a password on the command line. Give it on standard input instead.');
    return password;
  }
  const changesOtherThings = role !== undefined || access.length > 0;
  if (noPassword || (changesOtherThings && !isMissing)) return undefined;
  return io.askPassword(`Password for ${name}: `, 'The same again: ');
}

/** The rights of the user, in a sentence. */
function rightsOf({ name, roles, access }: UserEntry, enforced: boolean | undefined): string {
  if (roles.has('admin')) return `${name} may do everything: the role is admin.`;
  if (access === undefined)
    return enforced === false
      ? `${name} may read and write everything: access control is off.`
      : `${name} has no access rules and may read and write everything, also where access control is on. Limit that with --access KEYSPACE=read,write or --access none.`;
  if (access.length === 0)
    return `${name} has no rights on any data yet. Give some with --access KEYSPACE=read,write, or --access all.`;
  return `${name} has rights on ${rulesOf(access)}.`;
}

/** `--remove-user`. */
export function removeUser(path: string, name: string, io: CommandLineIo): void {
  const file = existing(path);
  file.remove(name);
  file.write();
  if (file.hasComments) io.err(`${path}: comments were not kept.`);
  io.out(`${path}: removed the user ${name}. A running server ends what the user has open.`);
}

/** `--list-users`: a line for each. */
export function listUsers(path: string, io: CommandLineIo): void {
  const { users } = existing(path);
  if (users.length === 0) io.out(`${path} has no users.`);
  const width = Math.max(...users.map(({ name }) => name.length));
  for (const { name, roles, access, passwordHash } of users) {
    const facts = [
      ...[...roles].map((role) => `role ${role}`),
      ...(passwordHash === undefined ? ['no password (client certificate only)'] : []),
      access === undefined ? 'no access rules' : access.length === 0 ? 'no rights' : rulesOf(access),
    ];
    io.out(`${name.padEnd(width)}  ${facts.join('; ')}`);
  }
}

function existing(path: string): UsersFile {
  const file = UsersFile.read(path);
  if (!file) throw new Error(`${path} does not exist.`);
  return file;
}

const rulesOf = (access: NonNullable<UserEntry['access']>): string =>
  access
    .map(
      ({ pattern, read, write }) =>
        `${formatPattern(pattern)}=${[read && 'read', write && 'write'].filter(Boolean).join(',') || 'none'}`,
    )
    .join(' ');
