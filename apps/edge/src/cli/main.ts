import { COMPATIBLE_VERSION, VERSION } from '@edgesync/platform';
import { readUsersFile, withUser, writeUsersFile } from './add-user.js';
import { parseArguments, UsageError, type Command } from './arguments.js';
import { parseSubject } from './certificate-subject.js';
import { USAGE } from './usage.js';
import { writeFileAtomically } from './write-file.js';

/** What the command line needs from the process. */
export interface CommandLineIo {
  /** Writes a line, or lines, to standard output. */
  readonly out: (text: string) => void;
  /** Writes a line, or lines, to standard error. */
  readonly err: (text: string) => void;
  /** Asks for a password without showing it. */
  readonly askPassword: (question: string) => Promise<string>;
}

/** What the command line starts but does not know how to do. */
export interface CommandLineActions {
  /** Runs the server until it is asked to stop. @returns the exit code */
  readonly serve: (configFile: string, options: { verbose: boolean; color: boolean }) => Promise<number>;
  /** @returns the new UUID of the database */
  readonly resetUuid: (path: string) => Promise<string>;
  /** Copies a database; ends early when the process is asked to end. */
  readonly backup: (path: string, target: string) => Promise<BackedUp>;
}

/** What a backup holds. */
export interface BackedUp {
  readonly documents: number;
  readonly blobs: number;
  readonly bytes: number;
}

/**
 * The program behind `edgesync` (ref 3.7).
 * @param words the arguments, without program and script
 * @returns the exit code
 */
export async function main(words: readonly string[], io: CommandLineIo, actions: CommandLineActions): Promise<number> {
  if (words.length === 0) {
    io.err(USAGE);
    return 1;
  }
  try {
    return await run(parseArguments(words), io, actions);
  } catch (error) {
    const message = error instanceof Error ? error.message : String(error);
    io.err(`edgesync: ${message}`);
    if (error instanceof UsageError) io.err('Try edgesync --help.');
    return 1;
  }
}

async function run(command: Command, io: CommandLineIo, actions: CommandLineActions): Promise<number> {
  switch (command.kind) {
    case 'serve':
      return actions.serve(command.configFile, { verbose: command.verbose, color: command.color });
    case 'help':
      io.out(USAGE);
      return 0;
    case 'version':
      io.out(`edgesync ${VERSION} (compatible with Couchbase Edge Server ${COMPATIBLE_VERSION})`);
      return 0;
    case 'add-user':
      await addUser(command, io);
      return 0;
    case 'create-cert':
      await createCert(command);
      io.out(`Certificate: ${command.certFile}\nPrivate key: ${command.keyFile}`);
      return 0;
    case 'reset-uuid':
      io.out(`The new UUID of ${command.path} is ${await actions.resetUuid(command.path)}`);
      return 0;
    case 'backup':
      io.out(`${command.target}: ${describe(await actions.backup(command.path, command.target))}`);
      return 0;
  }
}

function describe({ documents, blobs, bytes }: BackedUp): string {
  const count = (amount: number, unit: string): string => `${amount} ${unit}${amount === 1 ? '' : 's'}`;
  return `${count(documents, 'document')} and ${count(blobs, 'blob')}, ${(bytes / 1e6).toFixed(1)} MB`;
}

async function addUser(command: Extract<Command, { kind: 'add-user' }>, io: CommandLineIo): Promise<void> {
  const { usersFile, name, role } = command;
  const present = readUsersFile(usersFile);
  if (present === undefined && !command.create)
    throw new Error(`${usersFile} does not exist. Add --create to make it.`);
  const password = command.password ?? (await askTwice(name, io));
  writeUsersFile(usersFile, await withUser(present ?? '{}', { usersFile, name, password, role }));
  if (present !== undefined && !isPlainJson(present)) io.err(`${usersFile}: comments were not kept.`);
  io.out(
    `${usersFile}: the user ${name} is set${role ? ` with role ${role}` : ''}. A running server takes it over by itself.`,
  );
}

function isPlainJson(text: string): boolean {
  try {
    JSON.parse(text);
    return true;
  } catch {
    return false;
  }
}

async function askTwice(name: string, io: CommandLineIo): Promise<string> {
  const first = await io.askPassword(`Password for ${name}: `);
  if ((await io.askPassword('The same again: ')) !== first) throw new Error('the two passwords differ');
  return first;
}

async function createCert(command: Extract<Command, { kind: 'create-cert' }>): Promise<void> {
  const subject = parseSubject(command.subject);
  // The certificate library is large and needed here only.
  const { createCertificate } = await import('./create-certificate.js');
  const { certificate, key } = await createCertificate(subject, new Date());
  writeFileAtomically(command.keyFile, key, 0o600);
  writeFileAtomically(command.certFile, certificate, 0o644);
}
