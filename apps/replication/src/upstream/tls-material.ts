import { X509Certificate, type KeyObject } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { certificateBlocks, isPem, parsePrivateKey } from '@edgesync/platform';
import { UnusableFileError } from './failure.js';

/**
 * The bytes of a certificate or key: the value itself if it is PEM text, else the content of the file it names.
 * @param what what messages call it
 * @throws {UnusableFileError}
 */
export async function readMaterial(value: string, what: string): Promise<Buffer> {
  if (value.includes('-----BEGIN ')) return Buffer.from(value);
  try {
    return await readFile(value);
  } catch (error) {
    throw new UnusableFileError(`${what} cannot be read: ${(error as NodeJS.ErrnoException).code ?? 'unknown fault'}`);
  }
}

/** Root certificates in PEM. @throws {UnusableFileError} if there is none */
export function rootCertificates(bytes: Buffer): string[] {
  const blocks = certificateBlocks(bytes);
  for (const block of blocks) certificateOf(Buffer.from(block), 'trusted_root_certs');
  if (blocks.length === 0) throw new UnusableFileError('trusted_root_certs holds no certificate in PEM');
  return blocks;
}

/** One certificate in PEM or DER. @throws {UnusableFileError} */
export function certificateOf(bytes: Buffer, what: string): X509Certificate {
  try {
    return new X509Certificate(bytes);
  } catch {
    throw new UnusableFileError(`${what} is not a certificate in PEM or DER`);
  }
}

/** A certificate with its chain, as TLS wants it. @throws {UnusableFileError} */
export function certificateChain(bytes: Buffer, what: string): string {
  const first = certificateOf(bytes, what);
  return isPem(bytes) ? certificateBlocks(bytes).join('\n') : first.toString();
}

/** A private key in PEM or DER. @throws {UnusableFileError} */
export function privateKey(bytes: Buffer, what: string): KeyObject {
  const key = parsePrivateKey(bytes);
  if (key === 'encrypted') throw new UnusableFileError(`${what} is encrypted`);
  if (key === 'malformed') throw new UnusableFileError(`${what} is not a private key in PEM or DER`);
  return key;
}
