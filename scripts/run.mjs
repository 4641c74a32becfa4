// The two commands of a newcomer: `npm start` and `npm test`. Runs on any Node from 20 on and needs only npm.
// Installs what the lockfile says, builds what changed, and goes on under the Node version that the lockfile pins.
import { spawn, spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { existsSync, mkdirSync, readFileSync, readdirSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

const ROOT = dirname(dirname(fileURLToPath(import.meta.url)));
const { packageManager } = JSON.parse(readFileSync(join(ROOT, 'package.json'), 'utf8'));
const BIN = join(ROOT, 'node_modules', '.bin');
// The program itself, not the package manager's wrapper: signals must reach the server.
const NODE = join(ROOT, 'node_modules', 'node', 'bin', process.platform === 'win32' ? 'node.exe' : 'node');
const STAMP = join(ROOT, 'node_modules', '.edgesync-install');

const [command, ...rest] = process.argv.slice(2);
const environment = {
  ...process.env,
  PATH: `${BIN}:${process.env.PATH}`,
  NX_DAEMON: 'false',
  npm_config_loglevel: 'error',
};

install();
if (command === 'start') {
  build();
  run(NODE, rest.length > 0 ? ['apps/edge/bundle/main.js', ...rest] : ['apps/edge/bundle/quickstart.js']);
} else if (command === 'test') {
  build();
  run(NODE, ['scripts/test.mjs', ...rest]);
} else if (command === 'build') {
  build();
} else {
  console.error('usage: node scripts/run.mjs start|test|build [arguments]');
  process.exitCode = 1;
}

/** Installs from the lockfile, unless that was done for this very state of it. */
function install() {
  const wanted = fingerprint();
  if (existsSync(NODE) && existsSync(STAMP) && readFileSync(STAMP, 'utf8') === wanted) return;
  console.error('Installing the packages that the lockfile names (first start only)…');
  must('npx', ['--yes', packageManager, 'install', '--frozen-lockfile', '--reporter=append-only'], 'quiet');
  mkdirSync(dirname(STAMP), { recursive: true });
  writeFileSync(STAMP, wanted);
}

function fingerprint() {
  const hash = createHash('sha256');
  const manifests = ['apps', 'libs'].flatMap((folder) =>
    readdirSync(join(ROOT, folder)).map((name) => join(folder, name, 'package.json')),
  );
  for (const file of ['pnpm-lock.yaml', 'package.json', ...manifests])
    if (existsSync(join(ROOT, file))) hash.update(file).update(readFileSync(join(ROOT, file)));
  return hash.digest('hex');
}

/** The compiler and the bundler see themselves whether anything changed. */
function build() {
  must(join(BIN, 'tsc'), ['--build'], 'loud');
  must(NODE, ['scripts/bundle.mjs'], 'loud');
}

function must(program, args, volume) {
  const { status, error, stdout, stderr } = spawnSync(program, args, {
    cwd: ROOT,
    env: environment,
    stdio: volume === 'loud' ? 'inherit' : ['ignore', 'pipe', 'pipe'],
  });
  if (status === 0) return;
  if (volume !== 'loud') process.stderr.write(`${stdout ?? ''}${stderr ?? ''}`);
  console.error(error ? `${program}: ${error.message}` : `${program} ended with code ${status}`);
  process.exit(1);
}

/** Hands the terminal over; signals reach the child, its exit code is ours. */
function run(program, args) {
  const child = spawn(program, args, { cwd: ROOT, env: environment, stdio: 'inherit' });
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP']) process.on(signal, () => child.kill(signal));
  child.on('error', (error) => {
    console.error(`${program}: ${error.message}`);
    process.exitCode = 1;
  });
  child.on('exit', (code, signal) => {
    process.exitCode = signal ? 1 : (code ?? 1);
  });
}
