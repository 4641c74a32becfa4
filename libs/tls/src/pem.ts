const CERTIFICATE = /-----BEGIN (?:X509 |TRUSTED )?CERTIFICATE-----[^-]+-----END (?:X509 |TRUSTED )?CERTIFICATE-----/g;

/** Whether a file is text in PEM rather than DER. */
export function isPem(bytes: Buffer): boolean {
  return bytes.includes('-----BEGIN ');
}

/** The certificates of a PEM file, each in its own text. Whatever else the file holds is left out. */
export function certificateBlocks(bytes: Buffer): string[] {
  return bytes.toString('latin1').match(CERTIFICATE) ?? [];
}
