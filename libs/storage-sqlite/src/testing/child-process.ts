import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';

/** A process of its own that has opened, or tried to open, a database. */
export interface DatabaseProcess {
  readonly child: ChildProcess;
  /** Its output, line by line. */
  readonly lines: AsyncIterator<string>;
  /** Ends it without a chance to tidy up. */
  readonly kill: () => Promise<void>;
}

const file = (name: string): string => fileURLToPath(new URL(name, import.meta.url));

/** Arguments of Node that run a program of this folder. */
export const runProgram = (name: string): readonly string[] => [
  '--conditions=@edgesync/source',
  '--import',
  file('typescript-hooks.mjs'),
  file(name),
];

/** Starts {@link file://./database-process.ts}. */
export function startDatabaseProcess(
  path: string,
  job: 'hold' | 'write' | 'collect' | 'index' | 'import',
): DatabaseProcess {
  const child = spawn(process.execPath, [...runProgram('database-process.ts'), path, job], {
    stdio: ['pipe', 'pipe', 'inherit'],
  });
  const exited = once(child, 'exit');
  return {
    child,
    lines: createInterface({ input: child.stdout })[Symbol.asyncIterator](),
    kill: async () => {
      child.kill('SIGKILL');
      await exited;
    },
  };
}
