import type { ServerResponse } from 'node:http';
import type { AuditLog } from '@edgesync/platform';
import type { GatewayRequest } from './gateway-request.js';
import { actorOf } from './request-audit.js';
import { sentStatus } from './sent-status.js';

const completions = new WeakMap<ServerResponse, () => Promise<void> | undefined>();

/**
 * Records the request when its reply is about to be completed, or its client has gone before, and holds the end of the
 * reply until all events of the request are in the audit file: a client that has its reply finds them there.
 */
export function auditReply(request: GatewayRequest, response: ServerResponse, began: number, audit: AuditLog): void {
  let isRecorded = !audit.records('httpRequest');
  const record = (status: number): void => {
    if (isRecorded) return;
    isRecorded = true;
    const { method, url } = request.raw as { method: string; url: string };
    audit.httpRequest(actorOf(request), { method, url, status, elapsedMilliseconds: performance.now() - began });
  };
  // Writes that were committed together are answered together: held for another turn, their clients would come back in two
  // groups, and the commits be half as large.
  const { method } = request.raw;
  const gathered = method === 'GET' || method === 'HEAD' ? 'turn' : 'callback';
  const complete = (): Promise<void> | undefined => {
    record(response.statusCode);
    return audit.written(gathered);
  };
  completions.set(response, complete);
  const end = response.end.bind(response) as (...args: unknown[]) => ServerResponse;
  response.end = (...args: unknown[]): ServerResponse => {
    const written = complete();
    if (!written) return end(...args);
    void written.then(() => end(...args));
    return response;
  };
  if (!isRecorded) response.once('close', () => record(sentStatus(response)));
}

/**
 * The chunks of a streamed reply, the last one held until the audit file has all events of the request: a client that knows
 * the length has its reply when that chunk comes.
 */
export function auditedChunks(
  response: ServerResponse,
  chunks: AsyncGenerator<Uint8Array, void, undefined>,
): AsyncGenerator<Uint8Array, void, undefined> {
  const complete = completions.get(response);
  return complete ? holdLast(chunks, complete) : chunks;
}

async function* holdLast(
  chunks: AsyncGenerator<Uint8Array, void, undefined>,
  complete: () => Promise<void> | undefined,
): AsyncGenerator<Uint8Array, void, undefined> {
  let held: Uint8Array | undefined;
  for await (const chunk of chunks) {
    if (held) yield held;
    held = chunk;
  }
  await complete();
  if (held) yield held;
}
