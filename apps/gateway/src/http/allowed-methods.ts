import findMyWay, { type HTTPMethod, type Instance } from 'find-my-way';
import type { FastifyInstance } from 'fastify';
import { MAX_PATH_COMPONENT } from '../tuning.js';

const METHODS: readonly HTTPMethod[] = ['GET', 'HEAD', 'POST', 'PUT', 'DELETE'];

/**
 * Knows every registered route, and so which methods a path takes: an unknown path is 404, a known one with another
 * method 405 (docs/protocol/rest.md#paths-and-methods).
 */
export class AllowedMethods {
  /** Every route, as `METHOD /path/:parameter`. */
  readonly routes: string[] = [];
  private readonly router: Instance<never> = findMyWay({
    ignoreTrailingSlash: true,
    maxParamLength: MAX_PATH_COMPONENT,
  });

  /** Must be called before the routes are registered. */
  watch(fastify: FastifyInstance): void {
    fastify.addHook('onRoute', ({ method, url }) => {
      const methods = (Array.isArray(method) ? method : [method]) as HTTPMethod[];
      for (const one of methods) {
        if (!METHODS.includes(one) || this.router.hasRoute(one, url)) continue;
        this.router.on(one, url, () => {});
        this.routes.push(`${one} ${url}`);
      }
    });
  }

  /** Methods that some route takes for this URL. */
  of(url: string): readonly string[] {
    return METHODS.filter((method) => {
      const match = this.router.find(method, url);
      return match !== null && Object.entries(match.params).every(([name, value]) => isPossible(name, value ?? ''));
    });
  }
}

/**
 * Names that start with an underscore are endpoints, served or not, and never databases or documents
 * (docs/protocol/rest.md#keyspaces).
 */
function isPossible(parameter: string, value: string): boolean {
  return value !== '' && !(value.startsWith('_') && (parameter === 'keyspace' || parameter === 'docid'));
}
