import type { IncomingMessage, ServerResponse } from 'node:http';
import { OriginPolicy } from '@edgesync/access';
import type { CorsConfig } from '@edgesync/config';

const METHODS = 'GET, HEAD, POST, PUT, DELETE, OPTIONS';

/** Reply headers that pages need and would not see otherwise. */
const EXPOSED = 'ETag, Location, Retry-After, Content-Range';

/**
 * Lets web pages of other origins use the server (docs/protocol/edge-server.md#cors). Pages of listed origins may send
 * credentials. If every page may come, none may: else any page could act in the name of a user who has logged in with
 * the same browser.
 */
export class Cors {
  private readonly origins: OriginPolicy;

  constructor(private readonly config: CorsConfig) {
    this.origins = new OriginPolicy(config.origin);
  }

  /** Puts the headers on a reply, whatever becomes of the request. */
  mark({ headers: { origin } }: IncomingMessage, response: ServerResponse): void {
    if (!this.origins.any) response.setHeader('vary', 'Origin');
    if (origin === undefined || !this.origins.lists(origin)) return;
    response.setHeader('access-control-allow-origin', this.origins.any ? '*' : origin);
    if (!this.origins.any) response.setHeader('access-control-allow-credentials', 'true');
    response.setHeader('access-control-expose-headers', EXPOSED);
  }

  /** Answers `OPTIONS`, for a reply that has been marked. Reveals nothing about the path. */
  answerPreflight({ headers }: IncomingMessage, response: ServerResponse): void {
    if (response.hasHeader('access-control-allow-origin')) {
      response.setHeader('access-control-allow-methods', METHODS);
      const allowed = this.config.headers.includes('*')
        ? headers['access-control-request-headers']
        : this.config.headers.join(', ');
      if (allowed) response.setHeader('access-control-allow-headers', allowed);
      if (this.config.maxAge !== undefined) response.setHeader('access-control-max-age', this.config.maxAge);
    }
    response.statusCode = 204;
    response.end();
  }
}
