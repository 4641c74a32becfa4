export interface BasicCredentials {
  readonly name: string;
  readonly password: string;
}

const BASIC = /^basic +([A-Za-z0-9+/]+={0,2}) *$/i;
const MAX_NAME_LENGTH = 255;

/**
 * Reads an `Authorization` header of scheme Basic, in UTF-8 (docs/protocol/edge-server.md#authentication).
 * @returns undefined if it is of another scheme or malformed
 */
export function parseBasic(header: string): BasicCredentials | undefined {
  const encoded = BASIC.exec(header)?.[1];
  if (encoded === undefined) return undefined;
  const text = Buffer.from(encoded, 'base64').toString('utf8');
  const colon = text.indexOf(':');
  if (colon < 1 || colon > MAX_NAME_LENGTH) return undefined;
  return { name: text.slice(0, colon), password: text.slice(colon + 1) };
}
