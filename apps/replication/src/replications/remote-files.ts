import { X509Certificate, type KeyObject } from 'node:crypto';
import { readFileSync, statSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { dirname } from 'node:path';
import type { ConfigIssue, ReplicationConfig } from '@edgesync/config';
import { certificateBlocks, isPem, parsePrivateKey } from '@edgesync/tls';

/** A file or PEM text of a definition that cannot be used. The message holds no secret. */
export class UnusableFileError extends Error {
  override readonly name = 'UnusableFileError';

  /**
   * @param key of the definition
   * @param problem the rest of a sentence that starts with the key
   */
  constructor(
    readonly key: string,
    readonly problem: string,
  ) {
    super(`${key} ${problem}`);
  }
}

export interface ClientCertificate {
  /** The certificate, with its chain, in PEM. */
  readonly cert: string;
  readonly key: string | Buffer;
}

/** Members of a definition that name a client certificate. */
export interface ClientCertificateFiles {
  readonly tlsClientCert?: string;
  readonly tlsClientCertKey?: string;
}

/** Whether a value is the thing itself rather than the path of a file. */
export const isPemText = (value: string): boolean => value.includes('-----BEGIN ');

/** The bytes of a certificate or key: the value itself if it is PEM text, else the content of the file it names. */
async function readMaterial(key: string, value: string): Promise<Buffer> {
  if (isPemText(value)) return Buffer.from(value);
  return readFile(value).catch((error: unknown) => refuse(key, value, error));
}

const REASONS: Readonly<Record<string, string>> = {
  ENOENT: 'does not exist',
  EACCES: 'cannot be read by this user',
  EISDIR: 'is a directory',
};

function refuse(key: string, path: string, error: unknown): never {
  const { code = 'unknown error' } = error as NodeJS.ErrnoException;
  throw new UnusableFileError(key, `names ${path}, which ${REASONS[code] ?? `cannot be read: ${code}`}`);
}

/** @throws {UnusableFileError} if the file holds no token now */
export async function readTokenFile(key: string, path: string): Promise<string> {
  return parseToken(key, path, await readMaterial(key, path));
}

/** A password that the definition has, or the first line of the file that it names. @throws {UnusableFileError} */
export async function readPassword(place: string, password: SecretOrFile): Promise<string> {
  if (typeof password !== 'object') return password ?? '';
  const key = `${place}.password`;
  return parsePassword(key, password.path, await readMaterial(key, password.path));
}

type SecretOrFile = string | { readonly path: string } | undefined;

/** Root certificates in PEM. @throws {UnusableFileError} if there is none */
export async function readRoots(key: string, value: string): Promise<string[]> {
  return parseRoots(key, await readMaterial(key, value));
}

/** One certificate in PEM or DER. @throws {UnusableFileError} */
export async function readCertificate(key: string, value: string): Promise<X509Certificate> {
  return parseCertificate(key, await readMaterial(key, value));
}

/**
 * A client certificate and its private key, in PEM or DER.
 * @param place of the keys in the definition
 * @returns undefined if the definition has none
 * @throws {UnusableFileError}
 */
export async function readClientCertificate(
  place: string,
  { tlsClientCert, tlsClientCertKey }: ClientCertificateFiles = {},
): Promise<ClientCertificate | undefined> {
  if (tlsClientCert === undefined || tlsClientCertKey === undefined) return undefined;
  const [certKey, keyKey] = clientKeys(place);
  const bytes = await readMaterial(certKey, tlsClientCert);
  const first = parseCertificate(certKey, bytes);
  const key = parseKey(keyKey, await readMaterial(keyKey, tlsClientCertKey));
  checkPair(place, first, key);
  const cert = isPem(bytes) ? certificateBlocks(bytes).join('\n') : first.toString();
  return { cert, key: key.export({ type: 'pkcs8', format: 'pem' }) };
}

/**
 * Everything in a definition that cannot be used now, not just the first. A token file that is watched may come later; its
 * directory is there.
 */
export function fileProblems(definition: ReplicationConfig): readonly UnusableFileError[] {
  const problems: UnusableFileError[] = [];
  const attempt = <T>(key: string, value: string | undefined, parse: (bytes: Buffer) => T): T | undefined => {
    if (value === undefined) return undefined;
    try {
      return parse(isPemText(value) ? Buffer.from(value) : readSync(key, value));
    } catch (error) {
      if (!(error instanceof UnusableFileError)) throw error;
      problems.push(error);
      return undefined;
    }
  };
  const { trustedRootCerts, pinnedCert, auth, proxy } = definition;
  const { openidToken: token } = auth ?? {};
  if (typeof token === 'object') {
    const key = 'auth.openid_token';
    if (!auth?.reconnectOnTokenChange) attempt(key, token.path, (bytes) => parseToken(key, token.path, bytes));
    else if (!isDirectory(dirname(token.path)))
      problems.push(new UnusableFileError(key, `names ${token.path}, whose directory does not exist`));
  }
  attempt('trusted_root_certs', trustedRootCerts, (bytes) => parseRoots('trusted_root_certs', bytes));
  attempt('pinned_cert', pinnedCert, (bytes) => parseCertificate('pinned_cert', bytes));
  for (const [place, owner] of [
    ['auth', auth],
    ['proxy.auth', proxy?.auth],
  ] as const) {
    const password = owner?.password;
    if (typeof password === 'object')
      attempt(`${place}.password`, password.path, (bytes) => parsePassword(`${place}.password`, password.path, bytes));
    const [certKey, keyKey] = clientKeys(place);
    const cert = attempt(certKey, owner?.tlsClientCert, (bytes) => parseCertificate(certKey, bytes));
    attempt(keyKey, owner?.tlsClientCertKey, (bytes) => {
      const key = parseKey(keyKey, bytes);
      if (cert) checkPair(place, cert, key);
    });
  }
  return problems;
}

/**
 * The same for a definition of the configuration.
 * @param place of the definition in the file
 */
export function fileIssues(definition: ReplicationConfig, place: string, file: string): ConfigIssue[] {
  const fix = 'Check the path, the permissions and the content.';
  return fileProblems(definition).map(({ key, problem }) => ({ file, path: `${place}.${key}`, problem, fix }));
}

function readSync(key: string, path: string): Buffer {
  try {
    return readFileSync(path);
  } catch (error) {
    return refuse(key, path, error);
  }
}

function isDirectory(path: string): boolean {
  return statSync(path, { throwIfNoEntry: false })?.isDirectory() ?? false;
}

const clientKeys = (place: string): [certificate: string, key: string] => [
  `${place}.tls_client_cert`,
  `${place}.tls_client_cert_key`,
];

/** Characters of a bearer token; anything else would end the header, or begin another. */
const TOKEN = /^[\x21-\x7e]+$/;

function parseToken(key: string, path: string, bytes: Buffer): string {
  const text = bytes.toString('utf8').trim();
  if (text === '') throw new UnusableFileError(key, `names ${path}, which is empty`);
  if (!TOKEN.test(text)) throw new UnusableFileError(key, `names ${path}, which holds something else than a token`);
  return text;
}

function parsePassword(key: string, path: string, bytes: Buffer): string {
  const text = bytes.toString('utf8').replace(/\r?\n$/, '');
  if (text === '') throw new UnusableFileError(key, `names ${path}, which is empty`);
  if (/[\u0000-\u001f\u007f]/.test(text))
    throw new UnusableFileError(key, `names ${path}, which holds more than one line or control characters`);
  return text;
}

function parseRoots(key: string, bytes: Buffer): string[] {
  const blocks = certificateBlocks(bytes);
  for (const block of blocks) parseCertificate(key, Buffer.from(block));
  if (blocks.length === 0) throw new UnusableFileError(key, 'holds no certificate in PEM');
  return blocks;
}

function parseCertificate(key: string, bytes: Buffer): X509Certificate {
  try {
    return new X509Certificate(bytes);
  } catch {
    throw new UnusableFileError(key, 'is not a certificate in PEM or DER');
  }
}

function parseKey(key: string, bytes: Buffer): KeyObject {
  const parsed = parsePrivateKey(bytes);
  if (parsed === 'encrypted') throw new UnusableFileError(key, 'is encrypted');
  if (parsed === 'malformed') throw new UnusableFileError(key, 'is not a private key in PEM or DER');
  return parsed;
}

function checkPair(place: string, certificate: X509Certificate, key: KeyObject): void {
  const [certKey, keyKey] = clientKeys(place);
  if (!certificate.checkPrivateKey(key)) throw new UnusableFileError(keyKey, `is not the key of ${certKey}`);
}
