// Lint with the boundaries between projects, types of sources and tests, dead code, then every test. Ends with Vitest's summary.
// End-to-end tests run the server as it is shipped: bundled.
import { spawnSync } from 'node:child_process';
import { resolve } from 'node:path';
import { installMissingPackages } from './system-packages.mjs';

const only = process.argv.slice(2);
const environment = { ...process.env, EDGESYNC_MAIN: resolve('apps/edge/bundle/main.js') };
const steps = [
  ...(only.length > 0
    ? []
    : [
        ['nx', 'run', 'edgesync:lint'],
        ['nx', 'run', 'edgesync:typecheck'],
        ['nx', 'run', 'edgesync:dead-code'],
      ]),
  ['vitest', 'run', ...only],
];
installMissingPackages();
for (const [program, ...args] of steps) {
  console.log(`\n> ${program} ${args.join(' ')}`);
  const { status } = spawnSync(program, args, { stdio: 'inherit', env: environment });
  if (status !== 0) process.exit(status ?? 1);
}
