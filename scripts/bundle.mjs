// Makes of the compiled servers, all-in-one and split, and of everything they import, the few files in apps/edge/bundle that are run and shipped:
// they start faster and stay smaller in memory than two thousand modules (docs/decisions/idle-memory.md).
// Does nothing when the bundle is newer than all that was compiled or installed.
import { existsSync, globSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { rolldown } from 'rolldown';

const ROOT = dirname(dirname(fileURLToPath(import.meta.url)));
/** As deep below the package as `dist`: a module finds its package.json from both. */
const OUTPUT = join(ROOT, 'apps/edge/bundle');

/** Programs that are started by their file name. */
const ENTRIES = {
  main: 'apps/edge/dist/main.js',
  quickstart: 'apps/edge/dist/quickstart.js',
  gateway: 'apps/gateway/dist/main.js',
  replication: 'apps/replication/dist/main.js',
  /** The threads that run statements, started by its file name. */
  'query-worker': 'libs/storage-sqlite/dist/query/query-worker.js',
};
/** Apart from the others: where Nest finds its microservices package, every application loads it. */
const MICROSERVICES = { storage: 'apps/storage/dist/main.js' };

/** Machine code, and what Nest loads by its name at run time: the packages that are shipped beside the bundle. */
const PACKAGES = Object.keys(JSON.parse(readFileSync(join(ROOT, 'apps/edge/package.json'), 'utf8')).dependencies);
/** Parts of Nest that it asks for only when an application uses them, and that are not installed. */
const ABSENT = [/^@nestjs\/(platform-express|platform-socket\.io)/, /^@fastify\/(multipart|static|view)$/];
/** Where there are no microservices. */
const NO_MICROSERVICES = /^@nestjs\/microservices/;
/** Drivers of the transports that Nest brings and nobody uses here. */
const TRANSPORTS =
  /^(@grpc\/(grpc-js|proto-loader)|amqp-connection-manager|amqplib|cache-manager|ioredis|kafkajs|mqtt)(\/|$)/;

if (!isFresh()) await bundle();
// From when on the bundle is as the sources are, whether or not it had to be made: ./edgesync compares with this.
writeFileSync(join(OUTPUT, '.built'), '');

function isFresh() {
  const main = join(OUTPUT, 'main.js');
  if (!existsSync(main)) return false;
  const bundled = statSync(main).mtimeMs;
  const inputs = globSync(
    [
      '{apps,libs}/*/dist/.tsbuildinfo',
      'apps/edge/package.json',
      'node_modules/.edgesync-install',
      'scripts/bundle.mjs',
    ],
    { cwd: ROOT },
  );
  return inputs.every((input) => statSync(join(ROOT, input)).mtimeMs <= bundled);
}

async function bundle() {
  rmSync(OUTPUT, { recursive: true, force: true });
  await write(ENTRIES, [NO_MICROSERVICES], '[name].js');
  await write(MICROSERVICES, [TRANSPORTS, /^@nestjs\/websockets/], 'storage-[name].js');
}

/** Bundles programs that share chunks. */
async function write(input, absent, chunkFileNames) {
  const build = await rolldown({
    cwd: ROOT,
    input,
    platform: 'node',
    external: [...PACKAGES, ...ABSENT, ...absent],
    // What modules of the older kind have, and those that they become a part of have not.
    transform: { define: { __filename: 'import.meta.filename', __dirname: 'import.meta.dirname' } },
    onLog: (level, log) => {
      if (level === 'warn') throw new Error(log.message);
    },
  });
  await build.write({
    dir: OUTPUT,
    format: 'esm',
    entryFileNames: '[name].js',
    chunkFileNames,
    // Decorators need reflect-metadata to have run.
    strictExecutionOrder: true,
    // Nest and TypeORM look at the names of classes.
    keepNames: true,
    // V8 keeps the source, and takes two bytes for every character of a file with a single one outside Latin-1.
    charset: 'ascii',
    comments: false,
    // Lines and names stay, for stack traces.
    minify: false,
  });
}
