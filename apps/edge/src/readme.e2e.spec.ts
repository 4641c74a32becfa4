import { spawnSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { EdgeSandbox, type EdgeProcess } from './testing/edge-process.js';

const REPOSITORY = join(import.meta.dirname, '../../..');
const README = readFileSync(join(REPOSITORY, 'README.md'), 'utf8');
const SHELLS = [
  ['bash', ['--norc', '--noprofile', '-i']],
  ['zsh', ['-f', '-i']],
] as const;

/** The blocks of commands of a section, as they are pasted. */
function blocksOf(section: string): string {
  const text = README.split(/^## /m).find((part) => part.startsWith(section))!;
  return [...text.matchAll(/^```sh\n([^]*?)^```/gm)].map(([, block]) => block!).join('\n');
}

describe('the tour of the README', () => {
  let sandbox: EdgeSandbox;
  let server: EdgeProcess;
  beforeAll(async () => {
    sandbox = await EdgeSandbox.create(
      {},
      {
        databases: {
          travel: {
            path: 'travel.cblite2',
            create: true,
            collections: ['_default', 'inventory.airports', 'inventory.hotels', 'crew.notes'],
            enable_client_writes: true,
          },
        },
      },
    );
    server = await sandbox.start();
    for (const keyspace of ['travel.inventory.airports/airport_kef', 'travel.inventory.hotels/hotel_1'])
      await fetch(`${sandbox.url}/${keyspace}`, {
        method: 'PUT',
        headers: { 'Content-Type': 'application/json' },
        body: '{"name":"a sample"}',
      });
  });
  afterAll(async () => {
    await server.end('SIGTERM');
    sandbox[Symbol.dispose]();
  });

  it.each(SHELLS)('can be pasted into %s, twice', (shell, flags) => {
    const commands = blocksOf('A five-minute tour').replaceAll('http://127.0.0.1:59840', sandbox.url);
    // The second time a second later, as a person would: names are made of the time.
    const { stdout, stderr, error } = spawnSync(shell, flags, {
      input: `${commands}\nsleep 1\n${commands}\nexit\n`,
      cwd: REPOSITORY,
      env: { ...process.env, PS1: '', PROMPT: '', TERM: 'dumb' },
      encoding: 'utf8',
    });
    expect(error, `${shell} is missing: install Debian’s package ${shell}`).toBeUndefined();
    const output = `${stdout}${stderr}`;
    expect(output).not.toMatch(/not found|no matches|parse error|syntax error|curl: \(/i);
    // Reading twice, writing thrice, and none refused.
    expect(output).not.toContain('"status":');
    const count = (pattern: RegExp): number => output.match(pattern)?.length ?? 0;
    expect(count(/"ok":true/g)).toBe(8);
    expect(count(/^# edgesync$/gm)).toBe(2);
    expect(count(/"name":"a sample"/g)).toBeGreaterThanOrEqual(4);
    expect(count(/"special":"fish"/g)).toBeGreaterThanOrEqual(2);
  });
});
