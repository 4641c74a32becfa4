import { EdgeError } from '@edgesync/errors';
import { Integer } from './fields.js';
import { ShowCvQuery } from './show-cv.js';

/** `ttl` and `expires` (docs/protocol/rest.md#expiry). */
export class ExpiryQuery extends ShowCvQuery {
  @Integer('Seconds from now until the document expires. 0: not given.')
  ttl?: number;

  @Integer('Unix time in seconds at which the document expires. 0: not given. The earlier of the two wins.')
  expires?: number;
}

/**
 * The deadline that the parameters ask for.
 * @param nowMs Unix time in milliseconds
 * @returns Unix seconds, or undefined if none was given
 */
export function readDeadline({ ttl, expires }: ExpiryQuery, nowMs: number): number | undefined {
  if (!ttl && !expires) return undefined;
  const afterTtl = ttl ? Math.floor(nowMs / 1000) + ttl : Infinity;
  const deadline = Math.min(afterTtl, expires || Infinity);
  if (!Number.isSafeInteger(deadline)) throw new EdgeError('request.parameter', 'ttl is too large');
  return deadline;
}
