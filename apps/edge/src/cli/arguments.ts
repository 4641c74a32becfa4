import { ROLES, type Role } from '@edgesync/access';
import { didYouMean } from '@edgesync/config';

/** What a command line asks for (ref 3.7). */
export type Command =
  | { readonly kind: 'serve'; readonly configFile: string; readonly verbose: boolean; readonly color: boolean }
  | { readonly kind: 'help' }
  | { readonly kind: 'version' }
  | {
      readonly kind: 'add-user';
      readonly usersFile: string;
      readonly name: string;
      readonly create: boolean;
      readonly role?: Role;
      readonly password?: string;
    }
  | { readonly kind: 'create-cert'; readonly subject: string; readonly certFile: string; readonly keyFile: string }
  | { readonly kind: 'reset-uuid'; readonly path: string }
  | { readonly kind: 'backup'; readonly path: string; readonly target: string };

/** The command line makes no sense; the message says why. */
export class UsageError extends Error {
  override readonly name = 'UsageError';
}

/** Flags that choose what to do, with the names of the arguments they need. */
const ACTIONS = {
  '--add-user': ['users file', 'name'],
  '--create-cert': ['subject', 'certificate file', 'key file'],
  '--reset-uuid': ['database'],
  '--backup': ['database', 'target'],
  '--help': [],
  '--version': [],
} as const satisfies Record<string, readonly string[]>;
type Action = keyof typeof ACTIONS;

const SWITCHES = ['--verbose', '--color', '--create'] as const;
const VALUES = ['--config', '--role', '--password'] as const;
const SHORT: Readonly<Record<string, string>> = { '-v': '--verbose', '-h': '--help' };
const FLAGS: readonly string[] = [...Object.keys(ACTIONS), ...SWITCHES, ...VALUES];

/** Flags that mean something only beside one action; undefined stands for serving. */
const BELONGS_TO: Readonly<Record<string, Action | undefined>> = {
  '--config': undefined,
  '--create': '--add-user',
  '--role': '--add-user',
  '--password': '--add-user',
};

/**
 * Reads a command line. Flags may stand before and after other arguments, `--flag=value` is `--flag value`, and what
 * follows `--` are no flags.
 * @param words the arguments, without program and script
 * @throws UsageError
 */
export function parseArguments(words: readonly string[]): Command {
  const { given, positionals } = splitWords(words);
  if (given.has('--help')) return { kind: 'help' };
  if (given.has('--version')) return { kind: 'version' };
  const actions = (Object.keys(ACTIONS) as Action[]).filter((flag) => given.has(flag));
  if (actions.length > 1) throw new UsageError(`${actions.join(' and ')} exclude each other`);
  const action = actions[0];
  for (const flag of given.keys())
    if (flag in BELONGS_TO && BELONGS_TO[flag] !== action)
      throw new UsageError(`${flag} ${action ? `does not go with ${action}` : `goes with ${BELONGS_TO[flag]} only`}`);

  switch (action) {
    case '--add-user': {
      const [usersFile, name] = exactly(positionals, action);
      return {
        kind: 'add-user',
        usersFile: usersFile!,
        name: name!,
        create: given.has('--create'),
        role: roleOf(given.get('--role')),
        password: given.get('--password'),
      };
    }
    case '--create-cert': {
      const [subject, certFile, keyFile] = exactly(positionals, action);
      return { kind: 'create-cert', subject: subject!, certFile: certFile!, keyFile: keyFile! };
    }
    case '--reset-uuid':
      return { kind: 'reset-uuid', path: exactly(positionals, action)[0]! };
    case '--backup': {
      const [path, target] = exactly(positionals, action);
      return { kind: 'backup', path: path!, target: target! };
    }
    default: {
      const files = [given.get('--config'), ...positionals].filter((file) => file !== undefined);
      if (files.length === 0) throw new UsageError('the configuration file is missing');
      if (files.length > 1) throw new UsageError(`there can be only one configuration file: ${files.join(', ')}`);
      return { kind: 'serve', configFile: files[0]!, verbose: given.has('--verbose'), color: given.has('--color') };
    }
  }
}

/** Separates the flags, with their values, from the other arguments. */
function splitWords(words: readonly string[]): { given: Map<string, string | undefined>; positionals: string[] } {
  const given = new Map<string, string | undefined>();
  const positionals: string[] = [];
  for (let index = 0; index < words.length; index++) {
    const word = words[index]!;
    if (word === '--') {
      positionals.push(...words.slice(index + 1));
      break;
    }
    if (!word.startsWith('-') || word === '-') {
      positionals.push(word);
      continue;
    }
    const equals = word.startsWith('--') ? word.indexOf('=') : -1;
    const written = equals < 0 ? word : word.slice(0, equals);
    const flag = SHORT[written] ?? written;
    let value = equals < 0 ? undefined : word.slice(equals + 1);
    if (!FLAGS.includes(flag)) throw unknownFlag(written);
    if (given.has(flag)) throw new UsageError(`${flag} is given twice`);
    if ((VALUES as readonly string[]).includes(flag)) {
      value ??= words[++index];
      if (value === undefined) throw new UsageError(`${flag} needs a value`);
    } else if (value !== undefined) {
      if (!(flag in ACTIONS) || ACTIONS[flag as Action].length === 0) throw new UsageError(`${flag} takes no value`);
      positionals.push(value);
    }
    given.set(flag, value);
  }
  return { given, positionals };
}

function unknownFlag(flag: string): UsageError {
  const meant = didYouMean(flag, FLAGS);
  return new UsageError(`unknown option ${flag}${meant === undefined ? '' : `; did you mean ${meant}?`}`);
}

function exactly(positionals: readonly string[], action: Action): readonly string[] {
  const wanted = ACTIONS[action];
  if (positionals.length === wanted.length && positionals.every((argument) => argument !== '')) return positionals;
  throw new UsageError(`${action} needs ${wanted.map((name) => `<${name}>`).join(' ')}`);
}

function roleOf(value: string | undefined): Role | undefined {
  if (value === undefined || (ROLES as readonly string[]).includes(value)) return value as Role | undefined;
  throw new UsageError(`--role is ${ROLES.join(' or ')}, not ${value}`);
}
