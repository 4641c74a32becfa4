import { EdgeError } from '@edgesync/errors';
import { SERVER_HEADER } from '../product.js';
import { statusText } from './status-texts.js';

/** An error as HTTP says it, in answer to a request, to an upgrade, or to what is no request at all. */
export interface ErrorReply {
  readonly status: number;
  readonly headers: Readonly<Record<string, string>>;
  /** JSON text: `status`, `error` (the status text) and `reason`. */
  readonly body: string;
}

/** Errors change when their cause does, so no cache may keep them (docs/protocol/rest.md#errors). */
const HEADERS = {
  'cache-control': 'no-cache, no-store, must-revalidate, private, max-age=0',
  pragma: 'no-cache',
  expires: '0',
  'Content-Type': 'application/json',
  'X-Content-Type-Options': 'nosniff',
} as const;

/** Browsers show the realm, and ask for the password of one only once. */
const CHALLENGE = 'Basic realm="edgesync", charset="UTF-8"';

/** The reply that an error is. What is not in the catalogue is an internal error, and says no more than that. */
export function errorReply(error: unknown): ErrorReply {
  const known = error instanceof EdgeError ? error : new EdgeError('internal');
  const { status, retryAfter, message } = known;
  return {
    status,
    headers: {
      ...HEADERS,
      ...(status === 401 && { 'WWW-Authenticate': CHALLENGE }),
      ...(retryAfter !== undefined && { 'Retry-After': String(retryAfter) }),
    },
    body: JSON.stringify({ status, error: statusText(status), reason: message }),
  };
}

/**
 * The reply as it ends a connection that no HTTP server writes to.
 * @param further headers
 */
export function closingReply({ status, headers, body }: ErrorReply, further: Record<string, string> = {}): string {
  const lines = Object.entries({
    Connection: 'close',
    Server: SERVER_HEADER,
    Date: new Date().toUTCString(),
    ...headers,
    'Content-Length': String(Buffer.byteLength(body)),
    ...further,
  }).map(([name, value]) => `${name}: ${value}\r\n`);
  return `HTTP/1.1 ${status} ${statusText(status)}\r\n${lines.join('')}\r\n${body}`;
}
