const SIGNALS = ['SIGTERM', 'SIGINT', 'SIGHUP'] as const;

/**
 * Aborts when the process is asked to end. Signals are watched from the call on; a second one of a kind does what it does by
 * default: it ends the process.
 */
export function abortOnSignal(): AbortSignal {
  const ending = new AbortController();
  for (const name of SIGNALS) process.once(name, () => ending.abort(new Error(`interrupted by ${name}`)));
  return ending.signal;
}
