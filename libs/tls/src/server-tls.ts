import { X509Certificate } from 'node:crypto';
import { createSecureContext, type SecureContextOptions } from 'node:tls';
import { formatIssue, type ConfigIssue, type HttpsConfig } from '@edgesync/config';
import { ConfigError } from '@edgesync/config-files';
import { readBytes } from '@edgesync/config-files';
import { explain } from '@edgesync/errors';
import { certificateBlocks, isPem } from './pem.js';
import { isEncrypted, readPrivateKey } from './private-key.js';

/** Material of a TLS server, read from files and checked. */
export interface ServerTls {
  /** For creating the server, or for `setSecureContext()`. */
  readonly options: SecureContextOptions & {
    readonly requestCert: boolean;
    readonly rejectUnauthorized: false;
    readonly handshakeTimeout: number;
  };
  /** Subject of the server certificate on one line, such as `CN=edge, O=Plant`. */
  readonly subject: string;
  /** When certificates cease to be valid: that of the server, and the first of the client CA. */
  readonly expiries: readonly (readonly [Date, 'server' | 'client_ca'])[];
  /** Sentences for the log. */
  readonly warnings: readonly string[];
}

/** Only suites with forward secrecy and authenticated encryption. The first that the client has too is taken. */
const CIPHERS = [
  'TLS_AES_128_GCM_SHA256',
  'TLS_AES_256_GCM_SHA384',
  'TLS_CHACHA20_POLY1305_SHA256',
  'ECDHE-ECDSA-AES128-GCM-SHA256',
  'ECDHE-RSA-AES128-GCM-SHA256',
  'ECDHE-ECDSA-AES256-GCM-SHA384',
  'ECDHE-RSA-AES256-GCM-SHA384',
  'ECDHE-ECDSA-CHACHA20-POLY1305',
  'ECDHE-RSA-CHACHA20-POLY1305',
].join(':');

const DAY_MS = 86_400_000;
/** A certificate that expires within so many days is warned about. */
const RENEW_DAYS = 14;

/** Milliseconds after which a client that does not finish its handshake is cut off. */
const HANDSHAKE_TIMEOUT_MS = 15_000;

/**
 * The passphrase of the private key, asked for if it needs one.
 * @throws ConfigError if the key file cannot be read or nobody answers
 */
export async function askForPassphrase(
  { keyPath }: HttpsConfig,
  ask: (question: string) => Promise<string>,
): Promise<string | undefined> {
  if (!isEncrypted(keyPath)) return undefined;
  try {
    return await ask(`Passphrase of ${keyPath}: `);
  } catch (error) {
    const reason = explain(error);
    throw invalid(keyPath, `is encrypted, and its passphrase was not given: ${reason}`, 'Write it to standard input.');
  }
}

/**
 * Reads certificate, key and client CA. With a CA the server asks for a client certificate, but requires none: a client
 * without one can send a password.
 * @throws ConfigError
 */
export function readServerTls(https: HttpsConfig, passphrase: string | undefined, now = new Date()): ServerTls {
  const chain = readCertificates(https.certPath);
  const key = readPrivateKey(https.keyPath, passphrase);
  const certificate = chain[0]!;
  if (!certificate.checkPrivateKey(key))
    throw invalid(
      https.keyPath,
      `is not the key of the (first) certificate in ${https.certPath}`,
      'Give the key that the certificate was made for. A chain starts with the certificate of the server.',
    );
  const clientCa = https.clientCertPath === undefined ? undefined : readCertificates(https.clientCertPath);
  const context: SecureContextOptions = {
    cert: chain.map(String).join(''),
    key: key.export({ type: 'pkcs8', format: 'pem' }),
    ...(clientCa && { ca: clientCa.map(String) }),
    ciphers: CIPHERS,
    minVersion: 'TLSv1.2',
  };
  try {
    createSecureContext(context);
  } catch (error) {
    throw invalid(https.certPath, `cannot be used: ${(error as Error).message}`, 'Make a new certificate and key.');
  }
  return {
    options: {
      ...context,
      requestCert: https.clientCertPath !== undefined,
      rejectUnauthorized: false,
      handshakeTimeout: HANDSHAKE_TIMEOUT_MS,
    },
    subject: certificate.subject.replaceAll('\n', ', '),
    expiries: [
      [certificate.validToDate, 'server'],
      ...(clientCa ? [[firstExpiry(clientCa), 'client_ca'] as const] : []),
    ],
    warnings: validityIssues(certificate, https.certPath, now).map(formatIssue),
  };
}

/** @throws ConfigError if there is none, or one of them is damaged */
export function readCertificates(file: string): X509Certificate[] {
  const bytes = readBytes(file);
  const blocks = isPem(bytes) ? certificateBlocks(bytes) : [bytes];
  try {
    if (blocks.length > 0) return blocks.map((block) => new X509Certificate(block));
  } catch {
    // A damaged certificate is as good as none.
  }
  throw invalid(file, 'holds no valid certificate', 'Give certificates in PEM, or one in DER.');
}

const firstExpiry = (certificates: readonly X509Certificate[]): Date =>
  new Date(Math.min(...certificates.map(({ validToDate }) => validToDate.getTime())));

/** Warns of a certificate that clients refuse, or will refuse soon. */
export function validityIssues(
  { validFromDate, validToDate }: X509Certificate,
  file: string,
  now: Date,
): ConfigIssue[] {
  const warn = (problem: string, fix: string): ConfigIssue[] => [{ file, path: '', problem, fix }];
  if (now < validFromDate) return warn(`is not valid before ${validFromDate.toISOString()}`, 'Check the clock.');
  if (now > validToDate) return warn(`expired on ${validToDate.toISOString()}`, 'Renew the certificate.');
  const days = Math.floor((validToDate.getTime() - now.getTime()) / DAY_MS);
  return days > RENEW_DAYS
    ? []
    : warn(`expires on ${validToDate.toISOString()}, in ${days} days`, 'Renew the certificate.');
}

function invalid(file: string, problem: string, fix: string): ConfigError {
  return new ConfigError([{ file, path: '', problem, fix }]);
}
