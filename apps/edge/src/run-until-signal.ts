import { collectStartupGarbage } from './collect-startup-garbage.js';
import { explainStartError } from './explain-start-error.js';
import type { RunningServer } from './start-server.js';

const SIGNALS = ['SIGTERM', 'SIGINT', 'SIGHUP'] as const;

/**
 * Starts a server, keeps it until the process is asked to end, and stops it cleanly. Signals are watched from the
 * beginning: one that comes during the start stops the server as soon as it has started.
 * @returns the exit code
 */
export async function runUntilSignal(start: () => Promise<RunningServer>): Promise<number> {
  // A second signal does what it does by default: it ends the process.
  const signalled = new Promise<void>((resolve) => {
    for (const signal of SIGNALS) process.once(signal, () => resolve());
  });
  try {
    const server = await start();
    setImmediate(collectStartupGarbage);
    await signalled;
    await server.close();
    return 0;
  } catch (error) {
    console.error(`edgesync: ${explainStartError(error)}`);
    return 1;
  }
}
