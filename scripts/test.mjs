// Lint with the boundaries between projects, types of sources and tests, then every test. Ends with Vitest's summary.
import { spawnSync } from 'node:child_process';

const only = process.argv.slice(2);
const steps = [
  ...(only.length > 0
    ? []
    : [
        ['nx', 'run', 'edgesync:lint'],
        ['nx', 'run', 'edgesync:typecheck'],
      ]),
  ['vitest', 'run', ...only],
];
for (const [program, ...args] of steps) {
  console.log(`\n> ${program} ${args.join(' ')}`);
  const { status } = spawnSync(program, args, { stdio: 'inherit' });
  if (status !== 0) process.exit(status ?? 1);
}
