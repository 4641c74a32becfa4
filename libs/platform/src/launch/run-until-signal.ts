import { abortOnSignal } from './abort-on-signal.js';
import { collectStartupGarbage } from './collect-startup-garbage.js';
import { explainStartError } from './explain-start-error.js';
import { keepTickObject } from './keep-tick-object.js';

/** A service that a process runs until it is asked to end. */
export interface Stoppable {
  /** Finishes what is in flight and resolves when all is durable and closed. */
  close(): Promise<void>;
}

/** Handles that are still open this long after everything was closed do not keep the process. Milliseconds. */
const LEFTOVER_MS = 1_000;

/**
 * Starts a server, keeps it until the process is asked to end, and stops it cleanly; says on standard output when it is
 * ready and when it has stopped. Signals are watched from the beginning: one that comes during the start aborts `signal`,
 * and stops the server as soon as it has started. Its end is that of the process.
 * @returns the exit code
 */
export async function runUntilSignal(start: (signal: AbortSignal) => Promise<Stoppable>): Promise<number> {
  keepTickObject();
  const ending = abortOnSignal();
  const signalled = new Promise((resolve) => ending.addEventListener('abort', resolve, { once: true }));
  try {
    const server = await start(ending);
    console.log('edgesync is ready.');
    setImmediate(collectStartupGarbage);
    await signalled;
    await server.close();
    console.log('edgesync has stopped.');
    return 0;
  } catch (error) {
    if (ending.aborted && error === ending.reason) return 0;
    console.error(`edgesync: ${explainStartError(error)}`);
    return 1;
  } finally {
    // Libraries leave things open, such as a connection to a NATS server that hangs before it says a word.
    setTimeout(() => process.exit(), LEFTOVER_MS).unref();
  }
}
