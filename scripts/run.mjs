// The two commands of a newcomer: `npm start` and `npm test`. Runs on any Node from 20 on and needs only npm.
// Installs what the lockfile says, builds what changed, and goes on under the Node version that the lockfile pins.
import { spawn } from 'node:child_process';
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
/** Exists once the program was built; the bundler makes it. */
const BUILT = join(ROOT, 'apps/edge/bundle/main.js');
/** Options of the quick start; all others belong to the server. */
const QUICKSTART_OPTION = /^--(?:port(?:=.*)?|reset)$|^\d+$/;
/** Messages of a package manager that cannot reach the registry. */
const NO_NETWORK =
  /\b(?:EAI_AGAIN|ENOTFOUND|ECONNREFUSED|ECONNRESET|ETIMEDOUT|ENETUNREACH|EHOSTUNREACH|ERR_SOCKET_TIMEOUT|ERR_PNPM_META_FETCH_FAIL)\b/;
/** How often the parent process is looked for. Milliseconds. */
const PARENT_MS = 250;

const [command, ...rest] = process.argv.slice(2);
const environment = {
  ...process.env,
  PATH: `${BIN}:${process.env.PATH}`,
  NX_DAEMON: 'false',
  npm_config_loglevel: 'error',
};

if (command === 'start') {
  await install();
  await build();
  run(NODE, [
    `apps/edge/bundle/${rest.every((word) => QUICKSTART_OPTION.test(word)) ? 'quickstart' : 'main'}.js`,
    ...rest,
  ]);
} else if (command === 'test') {
  await install();
  await build();
  run(NODE, ['scripts/test.mjs', ...rest]);
} else if (command === 'build') {
  await install();
  await build();
} else {
  console.error('usage: node scripts/run.mjs start|test|build [arguments]');
  process.exitCode = 1;
}

/** Installs from the lockfile, unless that was done for this very state of it. */
async function install() {
  const wanted = fingerprint();
  if (existsSync(NODE) && existsSync(STAMP) && readFileSync(STAMP, 'utf8') === wanted) return;
  console.error('Installing the packages that the lockfile names. This takes a minute or two, once…');
  await must(
    'npx',
    ['--yes', packageManager, 'install', '--frozen-lockfile', '--reporter=append-only'],
    'The installation',
  );
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
async function build() {
  if (!existsSync(BUILT)) console.error('Building edgesync, which takes half a minute, once…');
  await must(join(BIN, 'tsc'), ['--build'], 'The compiler');
  await must(NODE, ['scripts/bundle.mjs'], 'The bundler');
}

/** Runs a program to its end, and ends with it if it fails. What it prints is shown as it comes, on standard error. */
async function must(program, args, what) {
  const child = spawn(program, args, { cwd: ROOT, env: environment, stdio: ['ignore', 'pipe', 'pipe'] });
  let printed = '';
  for (const stream of [child.stdout, child.stderr])
    stream.setEncoding('utf8').on('data', (text) => {
      process.stderr.write(text);
      printed = (printed + text).slice(-100_000);
    });
  const failure = await new Promise((resolve) => {
    child.on('error', (error) => resolve(error.message));
    child.on('close', (code, signal) => resolve(code === 0 ? undefined : `it ended with ${signal ?? `code ${code}`}`));
  });
  if (failure === undefined) return;
  const code = NO_NETWORK.exec(printed)?.[0];
  console.error(
    code
      ? `\nedgesync: the packages could not be downloaded: the npm registry cannot be reached (${code}).\n` +
          'Connect this machine to the network, or name a proxy or another registry with npm config, and run this again.'
      : `\nedgesync: ${what} failed: ${failure}. The lines above say why.`,
  );
  process.exit(1);
}

/**
 * Hands the terminal over. Signals reach the child, and its exit code is ours. A child that has lost us, or whose command
 * was killed, stops as on SIGTERM: it notices that the channel between us is closed.
 */
function run(program, args) {
  const child = spawn(program, args, { cwd: ROOT, env: environment, stdio: ['inherit', 'inherit', 'inherit', 'ipc'] });
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP']) process.on(signal, () => child.kill(signal));
  const parent = process.ppid;
  const watch = setInterval(() => {
    if (process.ppid !== parent && child.connected) child.disconnect();
  }, PARENT_MS);
  child.on('error', (error) => {
    clearInterval(watch);
    console.error(`${program}: ${error.message}`);
    process.exitCode = 1;
  });
  child.on('exit', (code, signal) => {
    clearInterval(watch);
    process.exitCode = signal ? 1 : (code ?? 1);
  });
}
