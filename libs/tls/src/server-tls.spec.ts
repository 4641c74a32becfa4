import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { TestCertificate } from '@edgesync/test-kit';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { askForPassphrase, readServerTls } from './server-tls.js';

const PASSPHRASE = 'open sesame';
const directory = mkdtempSync(join(tmpdir(), 'tls-'));
afterAll(() => rmSync(directory, { recursive: true, force: true }));

/** A file with this content. */
function file(name: string, content: string | Buffer): string {
  const path = join(directory, name);
  writeFileSync(path, content);
  return path;
}

let ca: TestCertificate;
let server: TestCertificate;
let rsa: TestCertificate;

beforeAll(async () => {
  ca = await TestCertificate.selfSigned('CN=Plant CA', { ca: true });
  server = await ca.issue('CN=edge, O=Plant', { usage: 'server' });
  rsa = await ca.issue('CN=edge rsa', { algorithm: 'rsa' });
});

describe('a certificate and its key', () => {
  const encrypted = { cipher: 'aes-256-cbc', passphrase: PASSPHRASE };

  it.each<[string, () => { cert: string | Buffer; key: string | Buffer; passphrase?: string }]>([
    ['in PEM', () => ({ cert: server.pem, key: server.keyPem })],
    ['in DER', () => ({ cert: server.der, key: server.key.export({ type: 'pkcs8', format: 'der' }) })],
    ['with a SEC 1 key in PEM', () => ({ cert: server.pem, key: server.key.export({ type: 'sec1', format: 'pem' }) })],
    ['with a SEC 1 key in DER', () => ({ cert: server.pem, key: server.key.export({ type: 'sec1', format: 'der' }) })],
    ['with a PKCS #1 key in PEM', () => ({ cert: rsa.pem, key: rsa.key.export({ type: 'pkcs1', format: 'pem' }) })],
    ['with a PKCS #1 key in DER', () => ({ cert: rsa.pem, key: rsa.key.export({ type: 'pkcs1', format: 'der' }) })],
    [
      'with an encrypted key in PEM',
      () => ({
        cert: server.pem,
        key: server.key.export({ type: 'pkcs8', format: 'pem', ...encrypted }),
        passphrase: PASSPHRASE,
      }),
    ],
    [
      'with an encrypted key in DER',
      () => ({
        cert: server.pem,
        key: server.key.export({ type: 'pkcs8', format: 'der', ...encrypted }),
        passphrase: PASSPHRASE,
      }),
    ],
    [
      'with a key that is encrypted the old way',
      () => ({
        cert: rsa.pem,
        key: rsa.key.export({ type: 'pkcs1', format: 'pem', ...encrypted }),
        passphrase: PASSPHRASE,
      }),
    ],
    ['in one file with a chain', () => ({ cert: `${server.keyPem}${server.pem}${ca.pem}`, key: server.keyPem })],
  ])('are read %s', async (_, content) => {
    const { cert, key, passphrase } = content();
    const https = { certPath: file('cert', cert), keyPath: file('key', key) };
    const questions: string[] = [];
    const given = await askForPassphrase(https, (question) => {
      questions.push(question);
      return Promise.resolve(PASSPHRASE);
    });
    expect(given).toBe(passphrase);
    expect(questions).toEqual(passphrase === undefined ? [] : [`Passphrase of ${https.keyPath}: `]);
    const tls = readServerTls(https, given);
    expect(tls.subject).toMatch(/^CN=edge/);
    expect(tls.warnings).toEqual([]);
    expect(tls.options).toMatchObject({ requestCert: false, minVersion: 'TLSv1.2' });
  });

  it('keep the chain in order and leave out what is no certificate', () => {
    const cert = file('chain', `a comment\n${server.pem}${server.keyPem}${ca.pem}`);
    const { options, subject } = readServerTls({ certPath: cert, keyPath: file('key', server.keyPem) }, undefined);
    expect(String(options.cert).match(/BEGIN CERTIFICATE/g)).toHaveLength(2);
    expect(subject).toBe('CN=edge, O=Plant');
  });

  it('are logged when the certificate is not valid', async () => {
    const expired = await ca.issue('CN=old', { days: -1 });
    const https = { certPath: file('old', expired.pem), keyPath: file('old.key', expired.keyPem) };
    expect(readServerTls(https, undefined).warnings).toEqual([
      expect.stringMatching(/old: expired on \d{4}-\d\d-\d\dT/),
    ]);
    const early = new Date(Date.now() - 100 * 86_400_000);
    expect(readServerTls(https, undefined, early).warnings).toEqual([expect.stringContaining('is not valid before')]);
  });
});

describe('a client CA', () => {
  it('makes the server ask for a certificate, without insisting on one', () => {
    const https = {
      certPath: file('cert', server.pem),
      keyPath: file('key', server.keyPem),
      clientCertPath: file('ca', `${ca.pem}${rsa.pem}`),
    };
    const { options } = readServerTls(https, undefined);
    expect(options).toMatchObject({ requestCert: true, rejectUnauthorized: false });
    expect(options.ca).toHaveLength(2);
  });
});

describe('files that cannot be used', () => {
  const good = (): { certPath: string; keyPath: string } => ({
    certPath: file('cert', server.pem),
    keyPath: file('key', server.keyPem),
  });

  it.each<[string, () => { certPath?: string; keyPath?: string; clientCertPath?: string }, RegExp]>([
    ['a missing certificate', () => ({ certPath: '/nowhere/cert.pem' }), /\/nowhere\/cert\.pem: does not exist/],
    ['a missing key', () => ({ keyPath: '/nowhere/key.pem' }), /\/nowhere\/key\.pem: does not exist/],
    ['a directory', () => ({ certPath: directory }), /is a directory/],
    ['an empty certificate', () => ({ certPath: file('empty', '') }), /empty: holds no valid certificate/],
    ['a key as certificate', () => ({ certPath: file('k', server.keyPem) }), /k: holds no valid certificate/],
    [
      'a damaged chain',
      () => ({ certPath: file('damaged', server.pem + ca.pem.replace(/[A-Za-z]{20}/, 'x')) }),
      /damaged: holds no valid certificate/,
    ],
    ['a certificate as key', () => ({ keyPath: file('c', server.pem) }), /c: is no private key/],
    ['noise as key', () => ({ keyPath: file('noise', Buffer.from([1, 2, 3])) }), /noise: is no private key/],
    [
      'the key of another',
      () => ({ keyPath: file('other', rsa.keyPem) }),
      /other: is not the key of the \(first\) cert/,
    ],
    ['a CA without certificate', () => ({ clientCertPath: file('noca', 'text') }), /noca: holds no valid certificate/],
  ])('are named: %s', (_, changed, message) => {
    expect(() => readServerTls({ ...good(), ...changed() }, undefined)).toThrow(message);
  });

  it('are named when the passphrase is wrong, missing or not given', async () => {
    const secret = server.key.export({ type: 'pkcs8', format: 'pem', cipher: 'aes-256-cbc', passphrase: PASSPHRASE });
    const https = { ...good(), keyPath: file('secret', secret) };
    expect(() => readServerTls(https, 'wrong')).toThrow('secret: cannot be decrypted. Check the passphrase.');
    expect(() => readServerTls(https, undefined)).toThrow('secret: is encrypted.');
    await expect(askForPassphrase(https, () => Promise.reject(new Error('the input ended')))).rejects.toThrow(
      /secret: is encrypted, and its passphrase was not given: the input ended/,
    );
  });

  it('are refused before the server starts when OpenSSL would not take them', async () => {
    const weak = await TestCertificate.selfSigned('CN=weak', { algorithm: 'weak-rsa' });
    const https = { certPath: file('weak', weak.pem), keyPath: file('weak.key', weak.keyPem) };
    expect(() => readServerTls(https, undefined)).toThrow(/weak: cannot be used: .*key too small/);
  });
});
