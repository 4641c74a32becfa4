import { STATUS_CODES } from 'node:http';
import { Domain, type Failure } from './failure.js';

/** For a code that the server chose and that has no meaning. */
const OTHER = 'other';

/** Meanings of the close codes of WebSocket (RFC 6455 and its registry) and of Couchbase Lite. */
const CLOSE_WORDS: Readonly<Record<number, string>> = {
  1000: 'closed normally',
  1001: 'server goes away',
  1002: 'protocol error',
  1003: 'unsupported data',
  1004: 'reserved',
  1005: 'closed without a code',
  1006: 'connection lost',
  1007: 'invalid data',
  1008: 'against a policy',
  1009: 'message too big',
  1010: 'extension missing',
  1011: 'server error',
  1012: 'server restarts',
  1013: 'try again later',
  1014: 'bad gateway',
  1015: 'TLS handshake failed',
  4001: 'server asks to try again',
  4002: 'server asks to stop',
};

/** Codes that failures get here, by domain. Any other one was chosen by the server. */
const WORDS: Readonly<Record<number, Readonly<Record<number, string>>>> = {
  [Domain.liteCore]: {
    4: 'conflict of versions',
    7: 'not found in this server',
    9: 'invalid definition',
    10: 'internal error',
    11: 'unusable file',
    12: 'storage error',
    26: 'refused by the remote server',
  },
  [Domain.posix]: { 28: 'disk full' },
  [Domain.network]: {
    1: 'DNS failure',
    2: 'unknown host',
    3: 'timeout',
    4: 'invalid URL',
    5: 'too many redirects',
    6: 'TLS handshake failed',
    7: 'server certificate expired',
    8: 'server certificate untrusted',
    9: 'client certificate required',
    10: 'client certificate rejected',
    11: 'server certificate of an unknown root',
    12: 'invalid redirect',
    13: 'unknown network error',
    14: 'server certificate revoked',
    15: 'server certificate for another name',
    16: 'network reset',
    17: 'connection aborted',
    18: 'connection reset',
    19: 'connection refused',
    20: 'network down',
    21: 'network unreachable',
    22: 'not connected',
    23: 'host down',
    24: 'host unreachable',
    25: 'address not available',
    26: 'broken pipe',
  },
  // 2xx neither ends a handshake nor refuses a request.
  [Domain.webSocket]: {
    ...CLOSE_WORDS,
    ...Object.fromEntries(Object.entries(STATUS_CODES).filter(([status]) => Number(status) >= 300)),
  },
};

/**
 * The code and the meaning of a failure as labels of metrics. Codes are chosen by the server, and every label value stays in
 * the memory of the process or of the monitoring; so what has no meaning is `other`.
 */
export function failureLabels({ domain, code }: Pick<Failure, 'domain' | 'code'>): { code: string; error: string } {
  const error = WORDS[domain]?.[code];
  return error === undefined ? { code: OTHER, error: OTHER } : { code: String(code), error };
}
