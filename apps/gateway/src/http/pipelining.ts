import type { ServerResponse } from 'node:http';
import type { Socket } from 'node:net';

/** Methods whose requests may be worked on while others of them are (RFC 9112, 9.3.2). */
const SAFE_METHODS: ReadonlySet<string | undefined> = new Set(['GET', 'HEAD', 'OPTIONS']);

/** The replies of one connection that later requests may have to wait for. */
interface Line {
  latest: ServerResponse;
  /** The latest to a request that changes something, if it is not out. */
  latestChange: ServerResponse | undefined;
}

/**
 * Keeps the order of requests that a client sends without waiting for the replies: Node hands them all over at once, and
 * a read would not see the write before it.
 */
export class PipelineOrder {
  private readonly lines = new WeakMap<Socket, Line>();

  /** Calls `begin` when the request that `response` answers may be worked on: nearly always at once. */
  take(response: ServerResponse, begin: () => void): void {
    const { socket, method } = response.req;
    const isSafe = SAFE_METHODS.has(method);
    const line = this.lines.get(socket);
    const before = isSafe ? unlessOut(line?.latestChange) : unlessOut(line?.latest);
    const latestChange = isSafe ? before : response;
    if (line) {
      line.latest = response;
      line.latestChange = latestChange;
    } else this.lines.set(socket, { latest: response, latestChange });
    if (before) before.once('close', begin);
    else begin();
  }
}

function unlessOut(response: ServerResponse | undefined): ServerResponse | undefined {
  return response?.writableFinished || response?.destroyed ? undefined : response;
}
