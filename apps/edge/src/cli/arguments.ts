import { parseArgs, type ParseArgsConfig } from 'node:util';
import { ROLES, type Role } from '@edgesync/access';
import { didYouMean } from '@edgesync/config';
import { parseCollectionName, type CollectionName } from '@edgesync/document';
import { explain } from '@edgesync/errors';

export interface ServeCommand {
  readonly kind: 'serve';
  readonly configFile: string;
  readonly verbose: boolean;
  readonly color: boolean;
  readonly port?: number;
}

/** Changes to a user. Absent members stay as they are. */
export interface UserChange {
  /** `none` takes all roles away. */
  readonly role?: Role | 'none';
  /** Rules as given: `KEYSPACE=read,write`, `KEYSPACE=none`, `none` or `all`. */
  readonly access: readonly string[];
  readonly password?: string;
  /** Whether the user comes with a client certificate alone. */
  readonly noPassword: boolean;
}

export interface AddUserCommand extends UserChange {
  readonly kind: 'add-user';
  /** Absent: the configuration file names it. */
  readonly usersFile?: string;
  readonly configFile?: string;
  readonly name: string;
  readonly create: boolean;
}

export interface ImportCommand {
  readonly kind: 'import';
  /** A Couchbase Lite bundle. */
  readonly source: string;
  readonly target: string;
  readonly dryRun: boolean;
  readonly skipDamaged: boolean;
}

export interface ExportCommand {
  readonly kind: 'export-cblite2';
  readonly path: string;
  readonly target: string;
  readonly format: 3 | 4;
  /** Absent: all. */
  readonly collections?: readonly CollectionName[];
  /** The URL of the database as apps sync with it. */
  readonly forUrl?: string;
}

/** The request of a command line. */
export type Command =
  | ServeCommand
  | AddUserCommand
  | ImportCommand
  | ExportCommand
  | { readonly kind: 'help' }
  | { readonly kind: 'version' }
  | { readonly kind: 'check-config'; readonly configFile: string }
  | { readonly kind: 'check-ready'; readonly configFile: string; readonly port?: number }
  | { readonly kind: 'remove-user'; readonly usersFile: string; readonly name: string }
  | { readonly kind: 'list-users'; readonly usersFile: string }
  | {
      readonly kind: 'create-cert';
      readonly subject: string;
      readonly certFile: string;
      readonly keyFile: string;
      readonly replace: boolean;
    }
  | { readonly kind: 'info'; readonly path: string; readonly json: boolean }
  | { readonly kind: 'check'; readonly path: string }
  | { readonly kind: 'compact'; readonly path: string }
  | { readonly kind: 'reset-uuid'; readonly path: string }
  | { readonly kind: 'backup'; readonly path: string; readonly target: string };

/** The command line makes no sense; the message says why. */
export class UsageError extends Error {
  override readonly name = 'UsageError';
}

/** Flags that choose what to do, with the names of the arguments they need. */
const ACTIONS = {
  'add-user': ['users file', 'name'],
  'remove-user': ['users file', 'name'],
  'list-users': ['users file'],
  'create-cert': ['subject', 'certificate file', 'key file'],
  'reset-uuid': ['database'],
  backup: ['database', 'target'],
  info: ['database'],
  check: ['database'],
  compact: ['database'],
  import: ['source', 'target'],
  'export-cblite2': ['database', 'target'],
  'check-config': ['config file'],
  'check-ready': ['config file'],
  help: [],
  version: [],
} as const satisfies Record<string, readonly string[]>;
type Action = keyof typeof ACTIONS;
const isAction = (flag: string): flag is Action => Object.hasOwn(ACTIONS, flag);

/** The other flags. `with` are the actions that they go with; none stands for serving. */
const FLAGS: Readonly<
  Record<string, { type: 'boolean' | 'string'; with?: readonly (Action | 'serve')[]; repeats?: boolean }>
> = {
  verbose: { type: 'boolean' },
  color: { type: 'boolean' },
  config: { type: 'string', with: ['serve', 'add-user', 'check-config', 'check-ready'] },
  port: { type: 'string', with: ['serve', 'check-ready'] },
  create: { type: 'boolean', with: ['add-user'] },
  role: { type: 'string', with: ['add-user'] },
  access: { type: 'string', with: ['add-user'], repeats: true },
  password: { type: 'string', with: ['add-user'] },
  'no-password': { type: 'boolean', with: ['add-user'] },
  replace: { type: 'boolean', with: ['create-cert'] },
  json: { type: 'boolean', with: ['info'] },
  'dry-run': { type: 'boolean', with: ['import'] },
  'skip-damaged': { type: 'boolean', with: ['import'] },
  format: { type: 'string', with: ['export-cblite2'] },
  collections: { type: 'string', with: ['export-cblite2'] },
  'for-url': { type: 'string', with: ['export-cblite2'] },
};

const OPTIONS: ParseArgsConfig['options'] = {
  ...Object.fromEntries(Object.keys(ACTIONS).map((name) => [name, { type: 'boolean' as const }])),
  ...Object.fromEntries(Object.entries(FLAGS).map(([name, { type }]) => [name, { type }])),
  help: { type: 'boolean', short: 'h' },
  verbose: { type: 'boolean', short: 'v' },
};

/**
 * Reads a command line. Flags may stand before and after other arguments, `--flag=value` is `--flag value`, and what
 * follows `--` are no flags.
 * @param words the arguments, without program and script
 * @throws UsageError
 */
export function parseArguments(words: readonly string[]): Command {
  const { given, positionals } = splitWords(words);
  if (given.has('help')) return { kind: 'help' };
  if (given.has('version')) return { kind: 'version' };
  const actions = [...given.keys()].filter(isAction);
  if (actions.length > 1) throw new UsageError(`--${actions.join(' and --')} exclude each other`);
  const action = actions[0];
  for (const flag of given.keys()) {
    const partners = FLAGS[flag]?.with;
    if (partners && !partners.includes(action ?? 'serve'))
      throw new UsageError(
        action ? `--${flag} does not go with --${action}` : `--${flag} goes with --${partners.join(' and --')} only`,
      );
  }
  return commandOf(action, given, positionals);
}

function commandOf(action: Action | undefined, given: Given, positionals: readonly string[]): Command {
  switch (action) {
    case 'add-user':
      return addUser(given, positionals);
    case 'remove-user': {
      const [usersFile, name] = exactly(positionals, action);
      return { kind: action, usersFile: usersFile!, name: name! };
    }
    case 'list-users':
      return { kind: action, usersFile: exactly(positionals, action)[0]! };
    case 'create-cert': {
      const [subject, certFile, keyFile] = exactly(positionals, action);
      return { kind: action, subject: subject!, certFile: certFile!, keyFile: keyFile!, replace: given.has('replace') };
    }
    case 'info':
      return { kind: action, path: exactly(positionals, action)[0]!, json: given.has('json') };
    case 'reset-uuid':
    case 'check':
    case 'compact':
      return { kind: action, path: exactly(positionals, action)[0]! };
    case 'backup': {
      const [path, target] = exactly(positionals, action);
      return { kind: action, path: path!, target: target! };
    }
    case 'import': {
      const [source, target] = exactly(positionals, action);
      const [dryRun, skipDamaged] = [given.has('dry-run'), given.has('skip-damaged')];
      return { kind: action, source: source!, target: target!, dryRun, skipDamaged };
    }
    case 'export-cblite2': {
      const [path, target] = exactly(positionals, action);
      return {
        kind: action,
        path: path!,
        target: target!,
        format: formatOf(given),
        ...collectionsOf(given),
        ...urlOf(given),
      };
    }
    case 'check-config':
      return { kind: action, configFile: configFileOf(given, positionals) };
    case 'check-ready':
      return { kind: action, configFile: configFileOf(given, positionals), ...portOf(given) };
    default:
      return {
        kind: 'serve',
        configFile: configFileOf(given, positionals),
        verbose: given.has('verbose'),
        color: given.has('color'),
        ...portOf(given),
      };
  }
}

function addUser(given: Given, positionals: readonly string[]): AddUserCommand {
  const configFile = given.get('config')?.[0];
  const found = configFile !== undefined && positionals.length === 1 ? [undefined, positionals[0]!] : positionals;
  const [usersFile, name] = found.length === 2 ? found : exactly(positionals, 'add-user');
  const password = given.get('password')?.[0];
  const noPassword = given.has('no-password');
  if (password !== undefined && noPassword) throw new UsageError('--password and --no-password exclude each other');
  return {
    kind: 'add-user',
    ...(usersFile !== undefined && { usersFile }),
    ...(configFile !== undefined && { configFile }),
    name: name!,
    create: given.has('create'),
    ...roleOf(given.get('role')?.[0]),
    access: given.get('access') ?? [],
    ...(password !== undefined && { password }),
    noPassword,
  };
}

/** The values of each flag that was given; '' for a flag without one. */
type Given = ReadonlyMap<string, readonly string[]>;

/** Separates the flags, with their values, from the other arguments. */
function splitWords(words: readonly string[]): { given: Given; positionals: string[] } {
  const given = new Map<string, string[]>();
  const positionals: string[] = [];
  const { tokens } = parseArgs({ args: [...words], options: OPTIONS, strict: false, tokens: true });
  for (const token of tokens)
    if (token.kind === 'positional') positionals.push(token.value);
    else if (token.kind === 'option') {
      const { name, rawName, value } = token;
      const flag = FLAGS[name];
      if (!flag && !isAction(name)) throw unknownFlag(rawName);
      const earlier = given.get(name);
      if (earlier && !flag?.repeats) throw new UsageError(`--${name} is given twice`);
      if (flag?.type === 'string') {
        if (value === undefined) throw new UsageError(`--${name} needs a value`);
      } else if (value !== undefined) {
        // The first argument of an action may be written like a value.
        if (flag || ACTIONS[name as Action].length === 0) throw new UsageError(`--${name} takes no value`);
        positionals.push(value);
      }
      given.set(name, [...(earlier ?? []), flag ? (value ?? '') : '']);
    }
  return { given, positionals };
}

function unknownFlag(flag: string): UsageError {
  const known = [...Object.keys(ACTIONS), ...Object.keys(FLAGS)].map((name) => `--${name}`);
  const meant = didYouMean(flag, known);
  return new UsageError(`unknown option ${flag}${meant === undefined ? '' : `; did you mean ${meant}?`}`);
}

function exactly(positionals: readonly string[], action: Action): readonly string[] {
  const wanted = ACTIONS[action];
  if (positionals.length === wanted.length && positionals.every((argument) => argument !== '')) return positionals;
  throw new UsageError(`--${action} needs ${wanted.map((name) => `<${name}>`).join(' ')}`);
}

function configFileOf(given: Given, positionals: readonly string[]): string {
  const files = [...(given.get('config') ?? []), ...positionals];
  if (files.length === 0) throw new UsageError('the configuration file is missing');
  if (files.length > 1) throw new UsageError(`there can be only one configuration file: ${files.join(', ')}`);
  return files[0]!;
}

function portOf(given: Given): { port?: number } {
  const text = given.get('port')?.[0];
  if (text === undefined) return {};
  if (!/^\d{1,5}$/.test(text) || Number(text) > 65535)
    throw new UsageError(`--port is a number from 0 to 65535, not ${text}`);
  return { port: Number(text) };
}

function roleOf(value: string | undefined): { role?: Role | 'none' } {
  if (value === undefined) return {};
  if (value === 'none' || (ROLES as readonly string[]).includes(value)) return { role: value as Role | 'none' };
  throw new UsageError(`--role is ${ROLES.join(', ')} or none, not ${value}`);
}

/** Without the flag 3: every app from Couchbase Lite 3.1 on opens it, and 4 upgrades it. */
function formatOf(given: Given): 3 | 4 {
  const text = given.get('format')?.[0];
  if (text === undefined || text === '3') return 3;
  if (text === '4') return 4;
  throw new UsageError(`--format is 3 or 4, not ${text}`);
}

function collectionsOf(given: Given): { collections?: CollectionName[] } {
  const text = given.get('collections')?.[0];
  if (text === undefined) return {};
  const names = [...new Set(text.split(',').map((name) => name.trim()))];
  return {
    collections: names.map((name) => {
      try {
        return parseCollectionName(name);
      } catch (error) {
        throw new UsageError(`--collections: ${explain(error)}`);
      }
    }),
  };
}

function urlOf(given: Given): { forUrl?: string } {
  const text = given.get('for-url')?.[0];
  if (text === undefined) return {};
  const url = URL.canParse(text) ? new URL(text) : undefined;
  if (!/^wss?:$/.test(url?.protocol ?? '') || !/^\/[^/]+\/?$/.test(url!.pathname) || url!.search || url!.hash)
    throw new UsageError(
      `--for-url is the URL that apps sync with, such as wss://edge.example:59840/shop, not ${text}`,
    );
  return { forUrl: text };
}
