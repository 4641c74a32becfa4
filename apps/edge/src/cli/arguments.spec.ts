import { describe, expect, it } from 'vitest';
import { parseArguments } from './arguments.js';

const words = (line: string) => line.split(' ');
const serve = { kind: 'serve', configFile: 'edge.json5', verbose: false, color: false };
const alice = { kind: 'add-user', usersFile: 'users.json', name: 'alice', create: false };
const certificate = { kind: 'create-cert', subject: 'CN=edge,O=Plant', certFile: 'c.pem', keyFile: 'k.pem' };

describe('the command line', () => {
  it.each<[string, object]>([
    ['edge.json5', serve],
    ['--config edge.json5', serve],
    ['--config=edge.json5', serve],
    ['--verbose edge.json5', { ...serve, verbose: true }],
    ['edge.json5 -v', { ...serve, verbose: true }],
    ['--color edge.json5 --verbose', { ...serve, verbose: true, color: true }],
    ['-- -odd-name', { ...serve, configFile: '-odd-name' }],
    ['--help', { kind: 'help' }],
    ['-h', { kind: 'help' }],
    ['edge.json5 --add-user --help', { kind: 'help' }],
    ['--version', { kind: 'version' }],
    ['--add-user users.json alice', alice],
    ['users.json --add-user alice', alice],
    ['users.json alice --add-user', alice],
    ['--add-user=users.json alice', alice],
    ['--create --add-user users.json alice', { ...alice, create: true }],
    ['--add-user users.json alice --create', { ...alice, create: true }],
    ['--add-user --role admin users.json alice', { ...alice, role: 'admin' }],
    ['--add-user users.json --role=replicate alice', { ...alice, role: 'replicate' }],
    ['--add-user users.json alice --password --secret', { ...alice, password: '--secret' }],
    ['--add-user users.json alice --password=a=b', { ...alice, password: 'a=b' }],
    ['--create-cert CN=edge,O=Plant c.pem k.pem', certificate],
    ['c.pem --create-cert k.pem x', { ...certificate, subject: 'c.pem', certFile: 'k.pem', keyFile: 'x' }],
    ['--reset-uuid plant.cblite2', { kind: 'reset-uuid', path: 'plant.cblite2' }],
    ['--reset-uuid=plant.cblite2 --verbose', { kind: 'reset-uuid', path: 'plant.cblite2' }],
  ])('%s', (line, command) => expect(parseArguments(words(line))).toEqual(command));

  it.each([
    ['--frobnicate edge.json5', 'unknown option --frobnicate'],
    ['--verbos edge.json5', 'unknown option --verbos; did you mean --verbose?'],
    ['-x edge.json5', 'unknown option -x'],
    ['-vx edge.json5', 'unknown option -vx'],
    ['--verbose', 'the configuration file is missing'],
    ['a.json b.json', 'there can be only one configuration file: a.json, b.json'],
    ['--config a.json b.json', 'there can be only one configuration file'],
    ['--config', '--config needs a value'],
    ['--verbose=true edge.json5', '--verbose takes no value'],
    ['--version=1', '--version takes no value'],
    ['--config a.json --config b.json', '--config is given twice'],
    ['--add-user users.json', '--add-user needs <users file> <name>'],
    ['--add-user users.json alice bob', '--add-user needs <users file> <name>'],
    ['--add-user users.json alice --role root', '--role is admin or replicate, not root'],
    ['--add-user users.json alice --config edge.json5', '--config does not go with --add-user'],
    ['--role admin edge.json5', '--role goes with --add-user only'],
    ['--reset-uuid x.cblite2 --create', '--create does not go with --reset-uuid'],
    ['--create-cert edge c.pem', '--create-cert needs <subject> <certificate file> <key file>'],
    ['--reset-uuid', '--reset-uuid needs <database>'],
    ['--add-user --reset-uuid a b', '--add-user and --reset-uuid exclude each other'],
  ])('%s is refused', (line, message) => expect(() => parseArguments(words(line))).toThrow(message));
});
