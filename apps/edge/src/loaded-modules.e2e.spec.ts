import { execFileSync, spawn } from 'node:child_process';
import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { beforeAll, describe, expect, it } from 'vitest';
import { ENVIRONMENT, EdgeProcess, EdgeSandbox } from './testing/edge-process.js';

// The causes of a small idle process (docs/decisions/idle-memory.md).

const PACKAGE = join(import.meta.dirname, '..');
const BUNDLE = join(PACKAGE, 'bundle');

describe('the server as compiled', () => {
  it('loads neither NATS nor what only another command or the manual needs', async () => {
    const loaded = await modulesOf(join(PACKAGE, 'dist/main.js'));
    expect(loaded).toContainEqual(expect.stringContaining('/@nestjs/core/'));
    const unneeded =
      /\/(@nats-io|@peculiar|@nestjs\/swagger|swagger-ui|typescript|build-openapi|create-certificate)[/@.]/;
    expect(loaded.filter((url) => unneeded.test(url))).toEqual([]);
  });
});

describe('the server as bundled', () => {
  beforeAll(() => {
    execFileSync(process.execPath, [join(PACKAGE, '../../scripts/bundle.mjs')]);
  });

  it('loads nothing from elsewhere but packages that cannot be bundled', async () => {
    const loaded = await modulesOf(join(BUNDLE, 'main.js'));
    const outside = loaded.filter((url) => !url.includes('/apps/edge/bundle/'));
    const packages = outside.map((url) => /.*\/node_modules\/((?:@[^/]+\/)?[^/]+)/.exec(url)?.[1] ?? url);
    expect([...new Set(packages)].sort()).toEqual(['bcrypt', 'better-sqlite3', 'node-gyp-build', 'ws']);
  });

  it('loads no chunk with the NATS client in it, which the bundle of the services has', async () => {
    const holdsNats = (path: string): boolean => readFileSync(path, 'utf8').includes('NatsConnectionImpl');
    const chunks = readdirSync(BUNDLE).map((name) => join(BUNDLE, name));
    const loaded = (await modulesOf(join(BUNDLE, 'main.js'))).map((url) => fileURLToPath(url));
    expect(chunks.filter(holdsNats)).not.toEqual([]);
    expect(loaded.filter((path) => path.endsWith('.js') && holdsNats(path))).toEqual([]);
  });

  it('keeps Nest’s microservices to storage, though every Nest application loads them where it finds them', () => {
    const holders = readdirSync(BUNDLE).filter((name) =>
      readFileSync(join(BUNDLE, name), 'utf8').includes('class NestMicroservice'),
    );
    expect(holders.length).toBeGreaterThan(0);
    expect(holders.filter((name) => !name.startsWith('storage'))).toEqual([]);
  });

  it('has only ASCII in its files, which V8 then keeps in one byte per character', () => {
    const files = readdirSync(BUNDLE);
    expect(files).toContain('main.js');
    for (const file of files) {
      const bytes = readFileSync(join(BUNDLE, file));
      expect(
        bytes.findIndex((byte) => byte > 0x7f),
        file,
      ).toBe(-1);
    }
  });
});

/** @returns the URLs of the files that the server has loaded when it has answered a request */
async function modulesOf(main: string): Promise<string[]> {
  using sandbox = await EdgeSandbox.create();
  const recorder = join(sandbox.directory, 'recorder.mjs');
  writeFileSync(recorder, RECORDER);
  await using server = new EdgeProcess(
    spawn(process.execPath, ['--import', recorder, main, sandbox.configFile], {
      cwd: sandbox.directory,
      env: ENVIRONMENT,
    }),
  );
  await server.started();
  expect((await fetch(`${sandbox.url}/db`)).status).toBe(200);
  expect(await server.end('SIGTERM')).toBe(0);
  return JSON.parse(readFileSync(join(sandbox.directory, 'loaded.json'), 'utf8')) as string[];
}

const RECORDER = `
import { writeFileSync } from 'node:fs';
import { registerHooks } from 'node:module';
const loaded = new Set();
registerHooks({
  load(url, context, next) {
    if (url.startsWith('file:')) loaded.add(url);
    return next(url, context);
  },
});
process.on('exit', () => writeFileSync('loaded.json', JSON.stringify([...loaded])));
`;
