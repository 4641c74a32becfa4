import { existsSync } from 'node:fs';
import { resolve } from 'node:path';
import { COMPATIBLE_VERSION, VERSION } from '@edgesync/platform';
import { explain } from '@edgesync/errors';
import type { BundleFacts } from '@edgesync/storage-sqlite';
import { count, megabytes } from './amounts.js';
import { parseArguments, UsageError, type Command, type ServeCommand } from './arguments.js';
import { parseSubject } from './certificate-subject.js';
import { exportCommand, importCommand, type ExportAction, type ImportAction } from './couchbase-lite-commands.js';
import { describeFacts, reportCheck } from './care-commands.js';
import { DONE, FAILED } from './exit-codes.js';
import type { ProgressLine } from './progress-line.js';
import { USAGE } from './usage.js';
import { addUser, listUsers, removeUser } from './user-commands.js';
import { writeFileAtomically } from './write-file.js';

/** The process, as the command line uses it. */
export interface CommandLineIo {
  /** Writes a line, or lines, to standard output. */
  readonly out: (text: string) => void;
  /** Writes a line, or lines, to standard error. */
  readonly err: (text: string) => void;
  /** Asks for a password without showing it; with `again`, a second time. */
  readonly askPassword: (question: string, again?: string) => Promise<string>;
  readonly progress: Pick<ProgressLine, 'show' | 'clear'>;
  /** Watches from the call on for signals that ask the process to end. */
  readonly ending: () => AbortSignal;
}

/** Actions that the command line starts and others implement. */
export interface CommandLineActions {
  /** Runs the server until it is asked to stop. @returns the exit code */
  readonly serve: (configFile: string, options: Omit<ServeCommand, 'kind' | 'configFile'>) => Promise<number>;
  readonly checkConfig: (configFile: string, io: CommandLineIo) => Promise<void>;
  readonly checkReady: (configFile: string, port: number | undefined, io: CommandLineIo) => Promise<void>;
  /** @returns the new UUID of the database */
  readonly resetUuid: (path: string) => Promise<string>;
  /** Copies a database; ends early when the process is asked to end. */
  readonly backup: (path: string, target: string) => Promise<BackedUp>;
  readonly info: (path: string) => Promise<BundleFacts>;
  /** @returns what is damaged */
  readonly check: (path: string) => Promise<readonly string[]>;
  /** @returns the bytes of the database file before and after */
  readonly compact: (path: string) => Promise<{ readonly before: number; readonly after: number }>;
  readonly importBundle: ImportAction;
  readonly exportBundle: ExportAction;
}

/** The contents of a backup. */
export interface BackedUp {
  readonly documents: number;
  readonly blobs: number;
  readonly bytes: number;
}

/**
 * The program behind `edgesync`.
 * @param words the arguments, without program and script
 * @returns the exit code
 */
export async function main(words: readonly string[], io: CommandLineIo, actions: CommandLineActions): Promise<number> {
  if (words.length === 0) {
    io.err(USAGE);
    return FAILED;
  }
  try {
    return await run(parseArguments(words), io, actions);
  } catch (error) {
    const message = explain(error);
    io.err(`edgesync: ${message}`);
    if (error instanceof UsageError) io.err('Try edgesync --help.');
    return FAILED;
  }
}

/** @returns the exit code */
async function run(command: Command, io: CommandLineIo, actions: CommandLineActions): Promise<number> {
  if (command.kind === 'serve') {
    const { kind: _, configFile, ...options } = command;
    return actions.serve(configFile, options);
  }
  return perform(command, io, actions);
}

/** @returns the exit code */
async function perform(
  command: Exclude<Command, ServeCommand>,
  io: CommandLineIo,
  actions: CommandLineActions,
): Promise<number> {
  switch (command.kind) {
    case 'help':
      io.out(USAGE);
      break;
    case 'version':
      io.out(`edgesync ${VERSION} (compatible with Couchbase Edge Server ${COMPATIBLE_VERSION})`);
      break;
    case 'check-config':
      await actions.checkConfig(command.configFile, io);
      break;
    case 'check-ready':
      await actions.checkReady(command.configFile, command.port, io);
      break;
    case 'add-user':
      await addUser(command, io);
      break;
    case 'remove-user':
      removeUser(command.usersFile, command.name, io);
      break;
    case 'list-users':
      listUsers(command.usersFile, io);
      break;
    case 'create-cert':
      await createCert(command);
      io.out(`Certificate: ${command.certFile}\nPrivate key: ${command.keyFile}`);
      break;
    case 'reset-uuid':
      io.out(`The new UUID of ${command.path} is ${await actions.resetUuid(command.path)}`);
      break;
    case 'backup':
      io.out(`${command.target}: ${describe(await actions.backup(command.path, command.target))}`);
      break;
    case 'info': {
      const facts = await actions.info(command.path);
      io.out(command.json ? JSON.stringify(facts) : describeFacts(command.path, facts));
      break;
    }
    case 'check':
      return reportCheck(command.path, await actions.check(command.path), io);
    case 'compact': {
      const { before, after } = await actions.compact(command.path);
      io.out(`${command.path}: ${before - after} bytes saved, ${megabytes(before)} before, ${megabytes(after)} after`);
      break;
    }
    case 'import':
      return importCommand(command, actions.importBundle, io);
    case 'export-cblite2':
      return exportCommand(command, actions.exportBundle, io);
  }
  return DONE;
}

function describe({ documents, blobs, bytes }: BackedUp): string {
  return `${count(documents, 'document')} and ${count(blobs, 'blob')}, ${megabytes(bytes)}`;
}

async function createCert(command: Extract<Command, { kind: 'create-cert' }>): Promise<void> {
  const { certFile, keyFile, replace } = command;
  const subject = parseSubject(command.subject);
  if (resolve(certFile) === resolve(keyFile)) throw new UsageError('certificate and key need files of their own');
  const present = [certFile, keyFile].filter((file) => existsSync(file));
  if (present.length > 0 && !replace)
    throw new Error(
      `${present.join(' and ')} ${present.length > 1 ? 'exist' : 'exists'} already, and a replaced key is lost. Add --replace to replace ${present.length > 1 ? 'them' : 'it'}.`,
    );
  // The certificate library is large and needed here only.
  const { createCertificate } = await import('./create-certificate.js');
  const { certificate, key } = await createCertificate(subject, new Date());
  writeFileAtomically(keyFile, key, 0o600);
  writeFileAtomically(certFile, certificate, 0o644);
}
