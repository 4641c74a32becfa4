import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';

/**
 * Returns what starting left behind to the system. V8 would keep it: a server without requests allocates too little
 * to collect. Blocks for some 50 ms; to be called once, when all is served (docs/decisions/idle-memory.md).
 */
export function collectStartupGarbage(): void {
  setFlagsFromString('--expose-gc');
  const collect = runInNewContext('gc') as NodeJS.GCFunction;
  setFlagsFromString('--no-expose-gc');
  // The one flavor that also shrinks the young generation.
  collect({ type: 'major', execution: 'sync', flavor: 'last-resort' });
}
