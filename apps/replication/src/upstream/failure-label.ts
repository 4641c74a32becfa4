import { STATUS_CODES } from 'node:http';
import { Domain, OWN_FAILURE_CODES, type Failure } from './failure.js';

/** What the server chose that means nothing to us. */
const OTHER = 'other';

/** Close codes of WebSocket (RFC 6455 and its registry), and of Couchbase Lite: try again, stop for good. */
const CLOSE_CODES = [...Array.from({ length: 16 }, (_, index) => 1_000 + index), 4_001, 4_002];

/** Statuses that end a handshake or refuse a request; 2xx would be neither. */
const STATUSES = Object.keys(STATUS_CODES)
  .map(Number)
  .filter((status) => status >= 300);

const KNOWN: ReadonlyMap<number, ReadonlySet<number>> = new Map([
  ...OWN_FAILURE_CODES,
  [Domain.webSocket, new Set([...STATUSES, ...CLOSE_CODES])],
]);

/**
 * The code of a failure as the label of a metric: itself if it has a meaning in its domain, else `other`. Codes are chosen by
 * the server, and each label that was ever used stays in memory.
 */
export function failureLabel({ domain, code }: Pick<Failure, 'domain' | 'code'>): string {
  return KNOWN.get(domain)?.has(code) ? String(code) : OTHER;
}
