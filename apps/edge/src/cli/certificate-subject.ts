import { isIP } from 'node:net';
import { UsageError } from './arguments.js';

export interface CertificateSubject {
  /** Attribute names (or OIDs) and values of the distinguished name, in the order given. */
  readonly attributes: readonly { readonly type: string; readonly value: string }[];
  readonly alternativeNames: readonly { readonly type: 'dns' | 'ip' | 'email' | 'url'; readonly value: string }[];
}

/** Attributes by name in upper case; those that the certificate library has no name for by OID. */
const ATTRIBUTES: Readonly<Record<string, string>> = {
  CN: 'CN',
  O: 'O',
  OU: 'OU',
  L: 'L',
  ST: 'ST',
  C: 'C',
  DC: 'DC',
  SN: '2.5.4.4',
  GN: '2.5.4.42',
  STREET: '2.5.4.9',
  POSTALADDRESS: '2.5.4.16',
  POSTALCODE: '2.5.4.17',
  PSEUDONYM: '2.5.4.65',
};

const ALTERNATIVE_NAMES: Readonly<Record<string, 'dns' | 'ip' | 'email' | 'url'>> = {
  DNS: 'dns',
  DNSNAME: 'dns',
  IP: 'ip',
  IPADDRESS: 'ip',
  EMAIL: 'email',
  RFC822NAME: 'email',
  URI: 'url',
  UNIFORMRESOURCEIDENTIFIER: 'url',
};

/**
 * Reads the subject of `--create-cert` (ref 3.7): a bare host name or IP address, or `name=value` parts separated by
 * commas (a backslash takes the next character literally) that include CN. Without an alternative name among them the
 * CN becomes one, as clients look at nothing else.
 * @throws UsageError
 */
export function parseSubject(text: string): CertificateSubject {
  const parts = text.includes('=') ? splitParts(text).map(parsePart) : [{ name: 'CN', value: text.trim() }];
  const attributes: { type: string; value: string }[] = [];
  const alternativeNames: { type: 'dns' | 'ip' | 'email' | 'url'; value: string }[] = [];
  for (const { name, value } of parts) {
    if (value === '') throw new UsageError(`${name} is empty in the subject`);
    const attribute = ATTRIBUTES[name.toUpperCase()];
    const alternative = ALTERNATIVE_NAMES[name.toUpperCase()];
    if (attribute !== undefined) attributes.push({ type: attribute, value });
    else if (alternative !== undefined) alternativeNames.push({ type: alternative, value });
    else
      throw new UsageError(
        `unknown name ${name} in the subject; known: ${Object.keys(ATTRIBUTES).join(', ')}, DNS, IP, email, URI`,
      );
    if (alternative === 'ip' && isIP(value) === 0) throw new UsageError(`${value} is not an IP address`);
    if (attribute === 'C' && !/^[A-Za-z]{2}$/.test(value)) throw new UsageError('C is a country code of two letters');
  }
  const commonName = attributes.find(({ type }) => type === 'CN')?.value;
  if (commonName === undefined) throw new UsageError('the subject has no CN');
  if (alternativeNames.length === 0)
    alternativeNames.push({ type: isIP(commonName) ? 'ip' : 'dns', value: commonName });
  return { attributes, alternativeNames };
}

function splitParts(text: string): string[] {
  return text.match(/(?:\\[^]|[^,\\])+/g) ?? [];
}

function parsePart(part: string): { name: string; value: string } {
  const equals = part.indexOf('=');
  if (equals < 0) throw new UsageError(`"${part.trim()}" in the subject is not name=value`);
  return {
    name: part.slice(0, equals).trim(),
    value: part
      .slice(equals + 1)
      .trim()
      .replaceAll(/\\([^])/g, '$1'),
  };
}
