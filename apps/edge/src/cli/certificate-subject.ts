import { isIP, isIPv6 } from 'node:net';
import { domainToASCII } from 'node:url';
import { UsageError } from './arguments.js';

type AlternativeType = 'dns' | 'ip' | 'email' | 'url';

export interface CertificateSubject {
  /** Attribute names (or OIDs) and values of the distinguished name, in the order given. */
  readonly attributes: readonly { readonly type: string; readonly value: string }[];
  readonly alternativeNames: readonly { readonly type: AlternativeType; readonly value: string }[];
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

const ALTERNATIVE_NAMES: Readonly<Record<string, AlternativeType>> = {
  DNS: 'dns',
  DNSNAME: 'dns',
  IP: 'ip',
  IPADDRESS: 'ip',
  EMAIL: 'email',
  RFC822NAME: 'email',
  URI: 'url',
  UNIFORMRESOURCEIDENTIFIER: 'url',
};

/** A host name as certificates hold it: labels of letters, digits, `-` and `_`; the first may be `*`. */
const HOST_NAME =
  /^(?=.{1,253}$)(?:\*\.)?(?:[a-z0-9_](?:[a-z0-9_-]{0,61}[a-z0-9_])?\.)*[a-z0-9_](?:[a-z0-9_-]{0,61}[a-z0-9_])?$/i;

/**
 * Reads the subject of `--create-cert`: a bare host name or IP address, or `name=value` parts separated by commas (a
 * backslash takes the next character literally) that include CN. Without an alternative name among them the CN becomes
 * one, as clients look at nothing else. Names that no client could verify are refused; other scripts become punycode.
 * @throws UsageError
 */
export function parseSubject(text: string): CertificateSubject {
  const parts = text.includes('=') ? splitParts(text).map(parsePart) : [{ name: 'CN', value: bareHost(text.trim()) }];
  const attributes: { type: string; value: string }[] = [];
  const alternativeNames: { type: AlternativeType; value: string }[] = [];
  for (const { name, value } of parts) {
    if (value === '') throw new UsageError(`${name} is empty in the subject`);
    const attribute = ATTRIBUTES[name.toUpperCase()];
    const alternative = ALTERNATIVE_NAMES[name.toUpperCase()];
    if (attribute === 'C' && !/^[A-Za-z]{2}$/.test(value)) throw new UsageError('C is a country code of two letters');
    if (attribute !== undefined) attributes.push({ type: attribute, value });
    else if (alternative !== undefined) alternativeNames.push({ type: alternative, value: READ[alternative](value) });
    else
      throw new UsageError(
        `unknown name ${name} in the subject; known: ${Object.keys(ATTRIBUTES).join(', ')}, DNS, IP, email, URI`,
      );
  }
  const commonName = attributes.find(({ type }) => type === 'CN')?.value;
  if (commonName === undefined) throw new UsageError('the subject has no CN');
  if (alternativeNames.length === 0) alternativeNames.push(alternativeOf(commonName));
  return { attributes, alternativeNames };
}

/** Reads the value of an alternative name into what the certificate holds. */
const READ: Readonly<Record<AlternativeType, (value: string) => string>> = {
  dns: hostName,
  ip: (value) => ipAddress(value) ?? refuse(`${value} is not an IP address`),
  email: (value) =>
    /^[\x21-\x7e]+@[\x21-\x7e]+$/.test(value) ? value : refuse(`${value} is not an email address in ASCII`),
  url: (value) => (URL.canParse(value) ? new URL(value).href : refuse(`${value} is not a URI`)),
};

/** A CN that stands for the server, and so is its address as clients know it. */
function alternativeOf(commonName: string): { type: AlternativeType; value: string } {
  const ip = ipAddress(commonName);
  if (ip !== undefined) return { type: 'ip', value: ip };
  try {
    return { type: 'dns', value: hostName(commonName) };
  } catch (error) {
    throw new UsageError(`${(error as Error).message}. If that is not its address, add DNS=… or IP=… to the subject`);
  }
}

/** The subject without names: an address becomes the CN as clients write it, without brackets and in ASCII. */
const bareHost = (text: string): string => (text === '' ? '' : alternativeOf(text).value);

/** @returns the name in ASCII, as clients ask for it */
function hostName(text: string): string {
  if (isIP(text)) return refuse(`${text} is an IP address: write IP=${text}`);
  const wildcard = text.startsWith('*.') ? '*.' : '';
  const ascii = wildcard + domainToASCII(text.slice(wildcard.length));
  if (HOST_NAME.test(ascii) && !/(?:^|\.)\d+$/.test(ascii) && !/[:/@\s]/.test(text)) return ascii;
  return refuse(`${JSON.stringify(text)} is not a host name (write it without scheme, port and path)`);
}

/** An address, perhaps in the brackets that it has in URLs. */
function ipAddress(text: string): string | undefined {
  const bare = /^\[(.*)\]$/.exec(text)?.[1];
  if (bare !== undefined) return isIPv6(bare) ? bare : undefined;
  return isIP(text) ? text : undefined;
}

function refuse(message: string): never {
  throw new UsageError(message);
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
