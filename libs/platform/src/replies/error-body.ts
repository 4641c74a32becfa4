import { statusText } from './status-texts.js';

/** Headers that keep every cache from storing an error (docs/protocol/rest.md#errors). */
export const NO_CACHE_HEADERS = {
  'cache-control': 'no-cache, no-store, must-revalidate, private, max-age=0',
  pragma: 'no-cache',
  expires: '0',
} as const;

export interface ErrorBody {
  readonly status: number;
  /** The status text. */
  readonly error: string;
  readonly reason: string;
}

/** The JSON text of an error reply. */
export function errorBody(status: number, reason: string): string {
  return JSON.stringify({ status, error: statusText(status), reason } satisfies ErrorBody);
}
