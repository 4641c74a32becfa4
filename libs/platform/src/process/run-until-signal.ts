import { abortOnSignal } from './abort-on-signal.js';
import { collectStartupGarbage } from './collect-startup-garbage.js';
import { explainStartError } from './explain-start-error.js';
import { keepTickObject } from './keep-tick-object.js';

/** What a process runs until it is asked to end. */
export interface Stoppable {
  /** Finishes what is in flight and resolves when all is durable and closed. */
  close(): Promise<void>;
}

/**
 * Starts a server, keeps it until the process is asked to end, and stops it cleanly. Signals are watched from the
 * beginning: one that comes during the start aborts `signal`, and stops the server as soon as it has started.
 * @returns the exit code
 */
export async function runUntilSignal(start: (signal: AbortSignal) => Promise<Stoppable>): Promise<number> {
  keepTickObject();
  const ending = abortOnSignal();
  const signalled = new Promise((resolve) => ending.addEventListener('abort', resolve, { once: true }));
  try {
    const server = await start(ending);
    setImmediate(collectStartupGarbage);
    await signalled;
    await server.close();
    return 0;
  } catch (error) {
    if (ending.aborted && error === ending.reason) return 0;
    console.error(`edgesync: ${explainStartError(error)}`);
    return 1;
  }
}
