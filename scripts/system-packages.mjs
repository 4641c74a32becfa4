// Programs that tests need and that are not npm packages: where one is missing, Debian's package is installed if this
// process may do that. Otherwise the tests that need it fail and say how to install it.
import { spawnSync } from 'node:child_process';

/** Programs by name of Debian's package, which is theirs too. */
const NEEDED = ['nats-server', 'chromium', 'openssl', 'zsh'];

export function installMissingPackages() {
  const missing = NEEDED.filter((name) => spawnSync(name, [name === 'openssl' ? 'version' : '--version']).status !== 0);
  if (missing.length === 0 || process.getuid?.() !== 0) return;
  console.log(`Installing ${missing.join(', ')} for the tests…`);
  apt('update');
  apt('install', '-y', '--no-install-recommends', ...missing);
}

function apt(...parameters) {
  const { status, stderr } = spawnSync('apt-get', ['-qq', ...parameters], {
    env: { ...process.env, DEBIAN_FRONTEND: 'noninteractive' },
    encoding: 'utf8',
  });
  if (status !== 0) console.error(stderr);
}
