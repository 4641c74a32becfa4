import type { IncomingRequest, RequestHandler } from './incoming-request.js';

/**
 * A handler that chooses by Profile, and answers BLIP/404 to a Profile without one
 * (docs/protocol/blip.md#error-replies).
 */
export function routeByProfile(handlers: Readonly<Record<string, RequestHandler>>): RequestHandler {
  const table = new Map(Object.entries(handlers));
  return (request) => (table.get(request.profile) ?? refuseUnknownProfile)(request);
}

/** Answers BLIP/404. */
export function refuseUnknownProfile(request: IncomingRequest): void {
  request.respondError({ domain: 'BLIP', code: 404, message: `no handler for profile '${request.profile}'` });
}
