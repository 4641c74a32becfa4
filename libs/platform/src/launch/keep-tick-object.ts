import { executionAsyncResource } from 'node:async_hooks';

const kept: object[] = [];

/**
 * Keeps an object of Node's queue of ticks alive for good. When V8 collects at a moment without any, it forgets their
 * shape, and from then on `process.nextTick`, which every request needs half a dozen times, makes them property by
 * property and takes twice as long (docs/decisions/replies-and-ticks.md).
 */
export function keepTickObject(): void {
  process.nextTick(() => kept.push(executionAsyncResource()));
}
