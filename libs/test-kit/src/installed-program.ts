import { spawnSync } from 'node:child_process';

/**
 * A program that tests need and that is not an npm package; `npm test` installs it where it may.
 * @param name of the program on the PATH
 * @param hint completes "Install it with …"
 * @returns the name
 * @throws Error saying how to install it
 */
export function installedProgram(name: string, hint: string): string {
  if (spawnSync(name, ['--version']).status === 0) return name;
  throw new Error(`These tests need ${name} on the PATH. Install it with ${hint}.`);
}
