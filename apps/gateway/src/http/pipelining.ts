import type { ServerResponse } from 'node:http';
import type { Socket } from 'node:net';

/** Methods whose requests may be worked on while an earlier one of the same connection is (RFC 9112, 9.3.2). */
const SAFE_METHODS: ReadonlySet<string | undefined> = new Set(['GET', 'HEAD', 'OPTIONS']);

/**
 * Keeps the order of requests that a client sends without waiting for the replies: Node hands them all over at once, and
 * a read would not see the write before it.
 */
export class PipelineOrder {
  private readonly latest = new WeakMap<Socket, ServerResponse>();

  /** Calls `begin` when the request that `response` answers may be worked on: nearly always at once. */
  take(response: ServerResponse, begin: () => void): void {
    const { socket } = response.req;
    const previous = this.latest.get(socket);
    this.latest.set(socket, response);
    if (!previous || previous.writableFinished || previous.destroyed || areSafe(previous, response)) begin();
    else previous.once('close', begin);
  }
}

const areSafe = (...responses: readonly ServerResponse[]): boolean =>
  responses.every(({ req }) => SAFE_METHODS.has(req.method));
