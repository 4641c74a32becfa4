import { createCipheriv, createDecipheriv, createHmac, hkdfSync, randomBytes } from 'node:crypto';

/** The purpose of definitions of replications, between gateways and workers. */
export const REPLICATION_SEAL = 'replications';

const CIPHER = 'aes-256-gcm';
const KEY_BYTES = 32;
const NONCE_BYTES = 12;
const TAG_BYTES = 16;
/** First byte of what is sealed. */
const LAYOUT = 1;

/**
 * Keeps what gateways and workers share from everybody else who reaches NATS. Keys are derived from the secret of the
 * handshakes with HKDF-SHA-256, so nothing that is sealed reveals it.
 */
export class Sealer {
  private readonly cipherKey: Buffer;
  private readonly fingerprintKey: Buffer;

  /** @param purpose what is sealed; of another purpose nothing can be opened */
  constructor(secret: string, purpose: string) {
    const derive = (use: string): Buffer =>
      Buffer.from(hkdfSync('sha256', secret, '', `edgesync ${purpose} ${use}`, KEY_BYTES));
    this.cipherKey = derive('cipher');
    this.fingerprintKey = derive('fingerprint');
  }

  /** Encrypts with AES-256-GCM: layout, nonce, tag, ciphertext. */
  seal(text: string): Uint8Array {
    const nonce = randomBytes(NONCE_BYTES);
    const cipher = createCipheriv(CIPHER, this.cipherKey, nonce, { authTagLength: TAG_BYTES });
    const sealed = Buffer.concat([cipher.update(text, 'utf8'), cipher.final()]);
    return Buffer.concat([Buffer.of(LAYOUT), nonce, cipher.getAuthTag(), sealed]);
  }

  /** @throws Error if it was not sealed with the same secret for the same purpose, or was changed */
  open(sealed: Uint8Array): string {
    const nonceEnd = 1 + NONCE_BYTES;
    const tagEnd = nonceEnd + TAG_BYTES;
    if (sealed[0] !== LAYOUT || sealed.byteLength < tagEnd) throw new Error('this is nothing sealed');
    const decipher = createDecipheriv(CIPHER, this.cipherKey, sealed.subarray(1, nonceEnd), {
      authTagLength: TAG_BYTES,
    });
    decipher.setAuthTag(sealed.subarray(nonceEnd, tagEnd));
    return decipher.update(sealed.subarray(tagEnd), undefined, 'utf8') + decipher.final('utf8');
  }

  /** The same for the same text; reveals nothing about it to those without the secret. */
  fingerprint(text: string): string {
    return createHmac('sha256', this.fingerprintKey).update(text).digest('base64url');
  }
}
