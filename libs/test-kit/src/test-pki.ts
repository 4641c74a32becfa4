import { createPrivateKey, randomBytes, webcrypto, X509Certificate, type KeyObject } from 'node:crypto';
import type * as X509 from '@peculiar/x509';

const DAY_MS = 86_400_000;
const ELLIPTIC = { name: 'ECDSA', namedCurve: 'P-256', hash: 'SHA-256' };
const rsa = (modulusLength: number) => ({
  name: 'RSASSA-PKCS1-v1_5',
  hash: 'SHA-256',
  modulusLength,
  publicExponent: new Uint8Array([1, 0, 1]),
});
const ALGORITHMS = { ec: ELLIPTIC, rsa: rsa(2048), 'weak-rsa': rsa(512) };

export interface IssueOptions {
  /** Days from now until the certificate expires; negative: it has. Default: 30. */
  readonly days?: number;
  /** Days from now on which it becomes valid. Default: it has for 60. */
  readonly fromDay?: number;
  /** Uses of the certificate. Default: both. */
  readonly usage?: 'server' | 'client';
  /** Default: an elliptic key. */
  readonly algorithm?: keyof typeof ALGORITHMS;
  /** Whether it may sign others. */
  readonly ca?: boolean;
}

/** A certificate with its key, which may issue others. */
export class TestCertificate {
  private constructor(
    private readonly certificate: X509.X509Certificate,
    private readonly keys: webcrypto.CryptoKeyPair,
    private readonly algorithm: keyof typeof ALGORITHMS,
    private readonly pkcs8: Buffer,
  ) {}

  /** A certificate that signs itself, such as a CA. */
  static selfSigned(subject: string, options: IssueOptions = {}): Promise<TestCertificate> {
    return TestCertificate.create(subject, options, undefined);
  }

  /** @param subject a distinguished name, such as `CN=alice, O=Plant` */
  issue(subject: string, options: IssueOptions = {}): Promise<TestCertificate> {
    return TestCertificate.create(subject, options, this);
  }

  get pem(): string {
    return `${this.certificate.toString('pem')}\n`;
  }

  get der(): Buffer {
    return new X509Certificate(this.pem).raw;
  }

  /** The key as PKCS #8 in PEM. */
  get keyPem(): string {
    return this.key.export({ type: 'pkcs8', format: 'pem' }) as string;
  }

  get key(): KeyObject {
    return createPrivateKey({ key: this.pkcs8, format: 'der', type: 'pkcs8' });
  }

  private static async create(
    subject: string,
    { days = 30, fromDay = -60, usage, algorithm = 'ec', ca = false }: IssueOptions,
    issuer: TestCertificate | undefined,
  ): Promise<TestCertificate> {
    // Large, and needed by few tests.
    await import('reflect-metadata');
    const x509 = await import('@peculiar/x509');
    const keys = await webcrypto.subtle.generateKey(ALGORITHMS[algorithm], true, ['sign', 'verify']);
    const usages = [
      ...(usage === 'client' ? [] : [x509.ExtendedKeyUsage.serverAuth]),
      ...(usage === 'server' ? [] : [x509.ExtendedKeyUsage.clientAuth]),
    ];
    const certificate = await x509.X509CertificateGenerator.create(
      {
        serialNumber: `40${randomBytes(8).toString('hex')}`,
        subject,
        issuer: issuer?.certificate.subject ?? subject,
        notBefore: new Date(Date.now() + fromDay * DAY_MS),
        notAfter: new Date(Date.now() + days * DAY_MS),
        signingKey: (issuer?.keys ?? keys).privateKey,
        signingAlgorithm: ALGORITHMS[issuer?.algorithm ?? algorithm],
        publicKey: keys.publicKey,
        extensions: [
          new x509.BasicConstraintsExtension(ca, undefined, true),
          ...(ca ? [] : [new x509.ExtendedKeyUsageExtension(usages)]),
          new x509.SubjectAlternativeNameExtension([
            { type: 'dns', value: 'localhost' },
            { type: 'ip', value: '127.0.0.1' },
          ]),
        ],
      },
      webcrypto,
    );
    const pkcs8 = Buffer.from(await webcrypto.subtle.exportKey('pkcs8', keys.privateKey));
    return new TestCertificate(certificate, keys, algorithm, pkcs8);
  }
}
