const SIGNALS = ['SIGTERM', 'SIGINT', 'SIGHUP'] as const;

/**
 * Aborts when the process is asked to end: by a signal, or because the process that started it with a channel between
 * them is gone. Both are watched from the call on; a second signal of a kind does what it does by default: it ends the
 * process.
 */
export function abortOnSignal(): AbortSignal {
  const ending = new AbortController();
  for (const name of SIGNALS) process.once(name, () => ending.abort(new Error(`interrupted by ${name}`)));
  if (process.channel) {
    process.once('disconnect', () => ending.abort(new Error('the starting process is gone')));
    // The channel alone does not keep the process alive.
    process.channel.unref();
  }
  return ending.signal;
}
