import type { FastifyReply } from 'fastify';
import type { QueryBatch } from '@edgesync/ports';
import { sendReply } from '../http/reply.js';
import { streamJson } from '../http/stream-reply.js';
import { HELD_REPLY_CHARACTERS, HELD_REPLY_MS } from '../tuning.js';

/** The result as JSON, in pieces: a bare array. */
export async function* resultText(batches: AsyncIterable<QueryBatch>): AsyncGenerator<string, void, undefined> {
  let opening = '[';
  for await (const { json } of batches) {
    yield opening + json;
    opening = ',';
  }
  yield opening === '[' ? '[]' : ']';
}

/**
 * Sends the pieces no faster than the client takes them. A result that is complete soon after its first rows goes out as a
 * whole, with its length; of any other the first rows do not wait for the last.
 * @param begin called right before the reply leaves
 * @throws what the pieces throw before something was sent
 */
export async function sendResult(
  reply: FastifyReply,
  pieces: AsyncGenerator<string, void, undefined>,
  begin: () => void,
): Promise<void> {
  const first = await pieces.next();
  let head = first.value ?? '';
  const deadline = performance.now() + HELD_REPLY_MS;
  let pending = pieces.next();
  while (head.length < HELD_REPLY_CHARACTERS) {
    const next = await within(deadline - performance.now(), pending);
    if (!next) break;
    if (next.done) {
      begin();
      return sendReply(reply, head);
    }
    head += next.value;
    pending = pieces.next();
  }
  begin();
  streamJson(reply, goOn(head, pending, pieces));
}

async function* goOn(
  head: string,
  pending: Promise<IteratorResult<string, void>>,
  rest: AsyncGenerator<string, void, undefined>,
): AsyncGenerator<string, void, undefined> {
  // Its fault is reported when the head has been sent.
  pending.catch(() => {});
  try {
    yield head;
    const next = await pending;
    if (next.done) return;
    yield next.value;
    yield* rest;
  } finally {
    await rest.return();
  }
}

/** The value of a promise, or undefined if that takes longer. */
function within<T>(milliseconds: number, promise: Promise<T>): Promise<T | undefined> {
  return new Promise((resolve, reject) => {
    const timer = setTimeout(() => resolve(undefined), Math.max(0, milliseconds));
    promise.then(resolve, reject).finally(() => clearTimeout(timer));
  });
}
