import { randomBytes, webcrypto } from 'node:crypto';
import type { CertificateSubject } from './certificate-subject.js';

export interface CertificateAndKey {
  /** PEM. */
  readonly certificate: string;
  /** PKCS #8 in PEM, not encrypted. */
  readonly key: string;
}

const ALGORITHM = { name: 'RSASSA-PKCS1-v1_5', hash: 'SHA-256', publicExponent: new Uint8Array([1, 0, 1]) };
const BITS = 4096;

/**
 * Makes a self-signed server certificate that is valid for one year from `now`, with an RSA-4096 key
 * (docs/protocol/edge-server.md#command-line).
 */
export async function createCertificate(subject: CertificateSubject, now: Date): Promise<CertificateAndKey> {
  await import('reflect-metadata');
  const x509 = await import('@peculiar/x509');
  const keys = await webcrypto.subtle.generateKey({ ...ALGORITHM, modulusLength: BITS }, true, ['sign', 'verify']);
  const certificate = await x509.X509CertificateGenerator.createSelfSigned(
    {
      serialNumber: serialNumber(),
      name: new x509.Name(
        subject.attributes.map(({ type, value }) => ({
          [type]: [type === 'C' ? { printableString: value.toUpperCase() } : { utf8String: value }],
        })),
      ),
      notBefore: now,
      notAfter: oneYearAfter(now),
      signingAlgorithm: ALGORITHM,
      keys,
      extensions: [
        new x509.BasicConstraintsExtension(false, undefined, true),
        new x509.KeyUsagesExtension(x509.KeyUsageFlags.digitalSignature | x509.KeyUsageFlags.keyEncipherment, true),
        new x509.ExtendedKeyUsageExtension([x509.ExtendedKeyUsage.serverAuth]),
        new x509.SubjectAlternativeNameExtension([...subject.alternativeNames]),
        await x509.SubjectKeyIdentifierExtension.create(keys.publicKey, false, webcrypto),
      ],
    },
    webcrypto,
  );
  const privateKey = await webcrypto.subtle.exportKey('pkcs8', keys.privateKey);
  return {
    certificate: `${certificate.toString('pem')}\n`,
    key: `${x509.PemConverter.encode(privateKey, 'PRIVATE KEY')}\n`,
  };
}

/** Positive, not zero and unguessable, in hex. */
function serialNumber(): string {
  const bytes = randomBytes(16);
  bytes[0] = (bytes[0]! & 0x3f) | 0x40;
  return bytes.toString('hex');
}

function oneYearAfter(date: Date): Date {
  const later = new Date(date);
  later.setUTCFullYear(later.getUTCFullYear() + 1);
  return later;
}
