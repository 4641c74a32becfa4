import { spawnSync } from 'node:child_process';

/**
 * A program that tests need and that is not an npm package. Where it is missing, Debian's package is installed if this
 * process may do that.
 * @param name of the program on the PATH, and of Debian's package
 * @param hint completes "Install it with …"
 * @returns the name
 * @throws Error saying how to install it
 */
export function installedProgram(name: string, hint: string): string {
  const works = (): boolean => spawnSync(name, ['--version']).status === 0;
  if (works()) return name;
  if (process.getuid?.() === 0) {
    const apt = (...parameters: string[]): number | null =>
      spawnSync('apt-get', ['-qq', ...parameters], { env: { ...process.env, DEBIAN_FRONTEND: 'noninteractive' } })
        .status;
    if (apt('install', '-y', name) !== 0) {
      apt('update');
      apt('install', '-y', name);
    }
    if (works()) return name;
  }
  throw new Error(`These tests need ${name} on the PATH. Install it with ${hint}.`);
}
