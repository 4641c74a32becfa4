import { BlipClosedError, CloseCode, type BlipErrorInfo, type CloseInfo } from '@edgesync/blip';
import { EdgeError } from '@edgesync/errors';
import { ReplicationError } from '@edgesync/replicator';
import { DialError } from '@edgesync/socket-ws';
import { isTransient } from '@edgesync/sync-protocol';
import { UnusableFileError } from './remote-files.js';

/** Error domains of a replication's status (docs/protocol/failures.md#error-domains-of-edge-server). */
export const Domain = { liteCore: 1, posix: 2, sqlite: 3, fleece: 4, network: 5, webSocket: 6, mbedTls: 7 } as const;

/**
 * The reaction to a failure (docs/protocol/edge-server.md#upstream). `transient`: try again. `offline`: this machine
 * or its network is at fault; a continuous replication waits for it, a one-shot gives up. `permanent`: trying again
 * cannot help.
 */
export type FailureKind = 'transient' | 'offline' | 'permanent';

/** Why a replication cannot go on. The message holds no secrets. */
export interface Failure {
  readonly message: string;
  readonly domain: number;
  readonly code: number;
  readonly kind: FailureKind;
}

type Known = readonly [code: number, kind: FailureKind];

/** Codes of domain `Network` by the code of Node's errors. */
const NETWORK: Readonly<Record<string, Known>> = {
  EAI_AGAIN: [1, 'transient'],
  ENOTFOUND: [2, 'offline'],
  ETIMEDOUT: [3, 'transient'],
  ERR_INVALID_URL: [4, 'permanent'],
  CERT_HAS_EXPIRED: [7, 'permanent'],
  ERR_CERTIFICATE_NOT_PINNED: [8, 'permanent'],
  CERT_UNTRUSTED: [8, 'permanent'],
  // Mostly our clock is wrong: a box that boots without the time gets it a little later.
  CERT_NOT_YET_VALID: [8, 'offline'],
  CERT_REJECTED: [8, 'permanent'],
  CERT_SIGNATURE_FAILURE: [8, 'permanent'],
  INVALID_PURPOSE: [8, 'permanent'],
  INVALID_CA: [8, 'permanent'],
  ERR_SSL_TLSV13_ALERT_CERTIFICATE_REQUIRED: [9, 'permanent'],
  ERR_SSL_TLSV1_ALERT_UNKNOWN_CA: [10, 'permanent'],
  ERR_SSL_TLSV1_ALERT_ACCESS_DENIED: [10, 'permanent'],
  ERR_SSL_SSLV3_ALERT_BAD_CERTIFICATE: [10, 'permanent'],
  ERR_SSL_SSLV3_ALERT_CERTIFICATE_EXPIRED: [10, 'permanent'],
  ERR_SSL_SSLV3_ALERT_CERTIFICATE_REVOKED: [10, 'permanent'],
  ERR_SSL_SSLV3_ALERT_CERTIFICATE_UNKNOWN: [10, 'permanent'],
  ERR_SSL_SSLV3_ALERT_UNSUPPORTED_CERTIFICATE: [10, 'permanent'],
  DEPTH_ZERO_SELF_SIGNED_CERT: [11, 'permanent'],
  SELF_SIGNED_CERT_IN_CHAIN: [11, 'permanent'],
  UNABLE_TO_GET_ISSUER_CERT: [11, 'permanent'],
  UNABLE_TO_GET_ISSUER_CERT_LOCALLY: [11, 'permanent'],
  UNABLE_TO_VERIFY_LEAF_SIGNATURE: [11, 'permanent'],
  ERR_TOO_MANY_REDIRECTS: [5, 'permanent'],
  ERR_INVALID_REDIRECT: [12, 'permanent'],
  CERT_REVOKED: [14, 'permanent'],
  ERR_TLS_CERT_ALTNAME_INVALID: [15, 'permanent'],
  ENETRESET: [16, 'transient'],
  ECONNABORTED: [17, 'transient'],
  ECONNRESET: [18, 'transient'],
  ECONNREFUSED: [19, 'transient'],
  ENETDOWN: [20, 'offline'],
  ENETUNREACH: [21, 'offline'],
  ENOTCONN: [22, 'offline'],
  EHOSTDOWN: [23, 'offline'],
  EHOSTUNREACH: [24, 'offline'],
  EADDRNOTAVAIL: [25, 'offline'],
  EPIPE: [26, 'offline'],
};

const TLS_HANDSHAKE_FAILED: Known = [6, 'permanent'];
const UNKNOWN_NETWORK_FAULT: Known = [13, 'transient'];

/** POSIX: no space left on device. */
const ENOSPC = 28;

/** Domains as error replies name them; what is not here is a remote error (docs/protocol/blip.md#error-replies). */
const REPLY_DOMAINS: Readonly<Record<string, number>> = {
  LiteCore: Domain.liteCore,
  POSIX: Domain.posix,
  SQLite: Domain.sqlite,
  Fleece: Domain.fleece,
  Network: Domain.network,
  HTTP: Domain.webSocket,
  WebSocket: Domain.webSocket,
  mbedTLS: Domain.mbedTls,
};

/** LiteCore: unexpected error, crypto error, remote error. */
const INTERNAL = 10;
const UNUSABLE_FILE = 11;
const REMOTE_ERROR = 26;

/**
 * Close codes after which a server is worth another attempt (docs/protocol/connection.md#close-codes,
 * docs/protocol/connection.md#as-an-active-peer).
 */
const PASSING_CLOSE_CODES: ReadonlySet<number> = new Set([1000, 1001, 1005, 1006, 1011, 1012, 1013, 4001]);

/** The meaning of an error of any layer for the replication. */
export function failureOf(error: unknown): Failure {
  if (error instanceof DialError) return dialFailure(error);
  if (error instanceof ReplicationError) return replyFailure(error);
  if (error instanceof BlipClosedError) return closeFailure(error.info);
  if (error instanceof EdgeError) return ownFailure(error);
  if (error instanceof UnusableFileError) return permanent(error.message, Domain.liteCore, UNUSABLE_FILE);
  if (error instanceof Error && 'rule' in error)
    return permanent(error.message, Domain.webSocket, CloseCode.protocolError);
  return { message: 'internal error', domain: Domain.liteCore, code: INTERNAL, kind: 'transient' };
}

/** The session is done but for revisions that have to wait. */
export function putOff(count: number): Failure {
  const message = `${count} ${count === 1 ? 'revision' : 'revisions'} could not be replicated for now`;
  return { message, domain: Domain.webSocket, code: 503, kind: 'transient' };
}

function dialFailure({ message, status, cause }: DialError): Failure {
  if (status !== undefined) {
    const kind = isTransient({ domain: 'HTTP', code: status }) ? 'transient' : 'permanent';
    return { message, domain: Domain.webSocket, code: status, kind };
  }
  const code = codeOf(cause);
  // The answer is not HTTP: a device on the way answers, as it may during its setup.
  if (code?.startsWith('HPE_'))
    return { message, domain: Domain.webSocket, code: CloseCode.protocolError, kind: 'offline' };
  // The handshake failed: the server does not speak WebSocket, or not our sub-protocols.
  if (code === undefined && /^(?:Invalid|Server sent|Server indicated)/.test(message))
    return permanent(message, Domain.webSocket, CloseCode.protocolError);
  const [network, kind] = knownNetworkFault(code);
  return { message, domain: Domain.network, code: network, kind };
}

function knownNetworkFault(code: string | undefined): Known {
  const known = code === undefined ? undefined : NETWORK[code];
  if (known) return known;
  if (code !== undefined && /^(?:ERR_SSL|ERR_TLS|EPROTO|CERT_|UNABLE_TO_)/.test(code)) return TLS_HANDSHAKE_FAILED;
  return UNKNOWN_NETWORK_FAULT;
}

/** The innermost code: attempts at several addresses of a host, and proxies, wrap what happened. */
function codeOf(error: unknown): string | undefined {
  if (typeof error !== 'object' || error === null) return undefined;
  const { code, cause, errors } = error as { code?: unknown; cause?: unknown; errors?: unknown };
  const inner = codeOf(Array.isArray(errors) ? errors[0] : cause);
  return inner ?? (typeof code === 'string' ? code : undefined);
}

/**
 * A request was refused on which all depends (docs/protocol/failures.md#errors-on-requests,
 * docs/protocol/failures.md#errors-an-active-peer-meets).
 */
function replyFailure({ info, message }: ReplicationError): Failure {
  const domain = REPLY_DOMAINS[info.domain];
  if (domain === undefined) return permanent(message, Domain.liteCore, REMOTE_ERROR);
  return { message, domain, code: info.code, kind: isServerFault(info) ? 'transient' : 'permanent' };
}

/** Whether the server failed rather than refused; 501 is a refusal. */
function isServerFault(info: BlipErrorInfo): boolean {
  return isTransient(info) || (info.domain === 'HTTP' && info.code >= 500 && info.code !== 501);
}

function closeFailure({ code, reason, error }: CloseInfo): Failure {
  const text =
    error?.message ??
    (code === CloseCode.lost ? 'the connection was lost' : reason || 'the server closed the connection');
  return {
    message: text,
    domain: Domain.webSocket,
    code,
    kind: PASSING_CLOSE_CODES.has(code) ? 'transient' : 'permanent',
  };
}

/** An error of this side. Storage recovers, by itself or by its operator; a definition does not. */
function ownFailure(error: EdgeError): Failure {
  const { message } = error;
  if (error.code === 'storage.full') return { message, domain: Domain.posix, code: ENOSPC, kind: 'transient' };
  const code = OWN_CODES[error.code.split('.')[0]!] ?? INTERNAL;
  const passes = error.code.startsWith('storage.') || error.code.startsWith('bus.') || error.status === 503;
  return { message, domain: Domain.liteCore, code, kind: passes ? 'transient' : 'permanent' };
}

/** LiteCore codes by the first word of ours: not found, I/O, corrupt data, invalid parameter. */
const OWN_CODES: Readonly<Record<string, number>> = {
  keyspace: 7,
  storage: 12,
  version: 4,
  rev: 4,
  request: 9,
  config: 9,
};

const permanent = (message: string, domain: number, code: number): Failure => ({
  message,
  domain,
  code,
  kind: 'permanent',
});
