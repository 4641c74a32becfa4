import type { RunningServer } from './start-server.js';

const SIGNALS = ['SIGTERM', 'SIGINT', 'SIGHUP'] as const;

/** Keeps the server until the process is asked to end, and stops it cleanly. @returns the exit code */
export async function runUntilSignal(server: RunningServer): Promise<number> {
  await new Promise<void>((resolve) => {
    for (const signal of SIGNALS) process.once(signal, () => resolve());
  });
  // A second signal while stopping does what it does by default: it ends the process.
  try {
    await server.close();
    return 0;
  } catch (error) {
    console.error(error instanceof Error ? error.message : error);
    return 1;
  }
}
