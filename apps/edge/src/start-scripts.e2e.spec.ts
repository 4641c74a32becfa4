import { spawn, spawnSync, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import {
  chmodSync,
  cpSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  realpathSync,
  rmSync,
  symlinkSync,
  utimesSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';

const REPOSITORY = join(import.meta.dirname, '../../..');

let root: string;
beforeEach(() => {
  root = realpathSync(mkdtempSync(join(tmpdir(), 'checkout-')));
});
afterEach(() => rmSync(root, { recursive: true, force: true }));

function put(path: string, content: string, mode = 0o644): void {
  mkdirSync(dirname(join(root, path)), { recursive: true });
  writeFileSync(join(root, path), content);
  chmodSync(join(root, path), mode);
}

const exists = (path: string): boolean => existsSync(join(root, path));
const inFuture = (path: string): void => utimesSync(join(root, path), new Date(), new Date(Date.now() + 60_000));

/** A checkout with the scripts to be tested, and with programs that leave a trace in place of all that takes long. */
function checkout(): void {
  for (const file of ['edgesync', 'scripts/run.mjs']) {
    mkdirSync(dirname(join(root, file)), { recursive: true });
    cpSync(join(REPOSITORY, file), join(root, file));
  }
  put('package.json', '{"packageManager": "pnpm@1.2.3"}');
  put('pnpm-lock.yaml', '');
  put('libs/one/src/index.ts', '');
  put('apps/edge/src/main.ts', '');
  put(
    'scripts/bundle.mjs',
    "import { writeFileSync } from 'node:fs';\nwriteFileSync('apps/edge/bundle/.built', '');\n",
  );
  put('apps/edge/bundle/main.js', 'console.log("main", process.cwd(), ...process.argv.slice(2));\n');
  // Runs until the channel to its parent is closed, as the server does.
  const quickstart = `console.log('quickstart', process.pid, ...process.argv.slice(2));
    process.on('disconnect', () => process.exit(0));
    setTimeout(() => {}, 60_000);`;
  put('apps/edge/bundle/quickstart.js', quickstart);
  put('bin/npx', `#!/bin/sh\necho installed >>"${root}/installed"\n`, 0o755);
  mkdirSync(join(root, 'node_modules/node/bin'), { recursive: true });
  symlinkSync(process.execPath, join(root, 'node_modules/node/bin/node'));
  put('node_modules/.bin/tsc', `#!/bin/sh\necho compiled >>"${root}/compiled"\n`, 0o755);
}

const environment = () => ({ ...process.env, PATH: `${root}/bin:${dirname(process.execPath)}:/usr/bin:/bin` });
const times = (path: string): number =>
  exists(path) ? readFileSync(join(root, path), 'utf8').split('\n').length - 1 : 0;

describe('./edgesync', () => {
  const run = (program: string, cwd = root) => {
    const { status, stdout, stderr } = spawnSync(program, ['a b', '--c'], {
      cwd,
      env: environment(),
      encoding: 'utf8',
    });
    return { status, out: stdout, err: stderr };
  };

  it('builds before the first run, and after a change of sources, manifests or the lockfile only', () => {
    checkout();
    rmSync(join(root, 'node_modules/node/bin/node'));
    // The installation brings the pinned Node.
    const node = `ln -sf "${process.execPath}" "${root}/node_modules/node/bin/node"`;
    put('bin/npx', `#!/bin/sh\necho installed >>"${root}/installed"\n${node}\n`, 0o755);
    expect(run(`${root}/edgesync`)).toMatchObject({ status: 0, out: `main ${root} a b --c\n` });
    expect([times('installed'), times('compiled')]).toEqual([1, 1]);
    expect(run(`${root}/edgesync`)).toEqual({ status: 0, out: `main ${root} a b --c\n`, err: '' });
    expect(times('compiled')).toBe(1);
    for (const [index, path] of ['libs/one/src/index.ts', 'apps/edge/src/new.ts', 'pnpm-lock.yaml'].entries()) {
      put(path, `// ${index}`);
      inFuture(path);
      run(`${root}/edgesync`);
      expect(times('compiled')).toBe(index + 2);
      utimesSync(join(root, path), new Date(0), new Date(0));
    }
  });

  it('runs through symbolic links, absolute and relative, from any directory', () => {
    checkout();
    run(`${root}/edgesync`);
    mkdirSync(join(root, 'usr/bin'), { recursive: true });
    symlinkSync(join(root, 'edgesync'), join(root, 'usr/bin/absolute'));
    symlinkSync('../../edgesync', join(root, 'usr/bin/relative'));
    symlinkSync('relative', join(root, 'usr/bin/twice'));
    for (const link of ['absolute', 'relative', 'twice'])
      expect(run(join(root, 'usr/bin', link), '/')).toMatchObject({ status: 0, out: 'main / a b --c\n' });
  });
});

describe('npm start', () => {
  it('says what it does the first time, and that the network is missing', () => {
    checkout();
    put('bin/npx', '#!/bin/sh\necho "Progress: resolved 1"\necho "GET x: EAI_AGAIN" >&2\nexit 1\n', 0o755);
    const { status, stderr } = spawnSync(process.execPath, ['scripts/run.mjs', 'start'], {
      cwd: root,
      env: environment(),
      encoding: 'utf8',
    });
    expect(status).toBe(1);
    expect(stderr).toMatch(/^Installing the packages/);
    expect(stderr).toContain('Progress: resolved 1');
    expect(stderr).toContain('the npm registry cannot be reached (EAI_AGAIN).\nConnect this machine to the network');
    expect(stderr).not.toContain('    at ');
  });

  it.each([
    [[], 'quickstart'],
    [['--reset', '--port', '8080'], 'quickstart'],
    [['--port=8080'], 'quickstart'],
    [['--config', 'x.json5'], 'main'],
    [['x.json5', '--port', '8080'], 'main'],
  ])('with %j runs the program %s', async (words, program) => {
    checkout();
    const child = start(['scripts/run.mjs', 'start', ...words]);
    const [line] = (await once(child.stdout!.setEncoding('utf8'), 'data')) as [string];
    expect(line.split(' ')[0]).toBe(program);
    expect(line.trim().endsWith(words.join(' '))).toBe(true);
    child.kill('SIGTERM');
    await once(child, 'exit');
  });

  it.each(['SIGKILL', 'SIGTERM'] as const)(
    'takes the server along when the command is ended with %s',
    async (signal) => {
      checkout();
      // As npm does it, with a shell between the command and the script.
      const shell = spawn('/bin/sh', ['-c', `"${process.execPath}" scripts/run.mjs start; true`], {
        cwd: root,
        env: environment(),
        stdio: ['ignore', 'pipe', 'pipe'],
      });
      const [line] = (await once(shell.stdout!.setEncoding('utf8'), 'data')) as [string];
      const server = Number(line.split(' ')[1]);
      expect(isAlive(server)).toBe(true);
      shell.kill(signal);
      await expect.poll(() => isAlive(server), { timeout: 10_000 }).toBe(false);
    },
  );

  function start(words: readonly string[]): ChildProcess {
    return spawn(process.execPath, words, { cwd: root, env: environment(), stdio: ['ignore', 'pipe', 'pipe'] });
  }
});

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch {
    return false;
  }
}
