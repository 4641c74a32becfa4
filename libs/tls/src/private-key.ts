import { createPrivateKey, type KeyObject } from 'node:crypto';
import { ConfigError } from '@edgesync/config-files';
import { readBytes } from '@edgesync/config-files';
import { isPem } from './pem.js';

/** Structures that a DER file may hold; PEM says which one it is. */
const DER_TYPES = ['pkcs8', 'pkcs1', 'sec1'] as const;

/** Whether the key cannot be read without a passphrase. @throws ConfigError if the file cannot be read */
export function isEncrypted(file: string): boolean {
  return parsePrivateKey(readBytes(file)) === 'encrypted';
}

/**
 * Reads a private key: PEM or DER, PKCS #8, PKCS #1 or SEC 1, encrypted or not.
 * @throws ConfigError
 */
export function readPrivateKey(file: string, passphrase: string | undefined): KeyObject {
  const key = parsePrivateKey(readBytes(file), passphrase);
  if (key === 'encrypted')
    throw invalid(
      file,
      'is encrypted',
      'Start the server from where it can ask for the passphrase, or decrypt the key.',
    );
  if (key === 'malformed')
    throw passphrase === undefined
      ? invalid(file, 'is no private key', 'Give the key of the certificate, in PEM or DER.')
      : invalid(file, 'cannot be decrypted', 'Check the passphrase.');
  return key;
}

/** Reads a private key in any of the structures; names what keeps it from being read. */
export function parsePrivateKey(bytes: Buffer, passphrase?: string): KeyObject | 'encrypted' | 'malformed' {
  const given = passphrase !== undefined && { passphrase };
  const forms = isPem(bytes)
    ? [{ key: bytes, format: 'pem' as const, ...given }]
    : DER_TYPES.map((type) => ({ key: bytes, format: 'der' as const, type, ...given }));
  let encrypted = passphrase === undefined && isPem(bytes) && bytes.includes('ENCRYPTED');
  for (const form of forms)
    try {
      return createPrivateKey(form);
    } catch (error) {
      encrypted ||= (error as NodeJS.ErrnoException).code === 'ERR_MISSING_PASSPHRASE';
    }
  return encrypted ? 'encrypted' : 'malformed';
}

function invalid(file: string, problem: string, fix: string): ConfigError {
  return new ConfigError([{ file, path: '', problem, fix }]);
}
