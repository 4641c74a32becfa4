import { DialError } from './connect.js';

/** Where a request goes, with the headers that may go there. */
export interface Hop {
  readonly url: URL;
  readonly headers: Readonly<Record<string, string>>;
}

/** Answers that send a client elsewhere. An upgrade is a GET, for which they all mean the same. */
export const REDIRECTS: ReadonlySet<number | undefined> = new Set([301, 302, 303, 307, 308]);

/** Headers that are for one host and nobody else. */
const CREDENTIALS: ReadonlySet<string> = new Set(['authorization', 'cookie']);

/**
 * Follows one redirect. Credentials go along to another port of the same host, as with Couchbase Lite, but neither to
 * another host nor from TLS to plain text.
 * @throws {DialError} with cause code `ERR_INVALID_REDIRECT` for a `Location` that is missing or names no server
 */
export function redirected({ url: from, headers }: Hop, location: string | undefined): Hop {
  const url = targetOf(location, from);
  const keepsCredentials = url.hostname === from.hostname && (isSecure(url) || !isSecure(from));
  const kept = Object.entries(headers).filter(([name]) => {
    const lower = name.toLowerCase();
    return lower === 'host' ? url.host === from.host : keepsCredentials || !CREDENTIALS.has(lower);
  });
  return { url, headers: Object.fromEntries(kept) };
}

const isSecure = ({ protocol }: URL): boolean => protocol === 'wss:';

function targetOf(location: string | undefined, from: URL): URL {
  const refuse = (why: string): DialError =>
    new DialError(`the server redirects to ${why}`, undefined, { cause: { code: 'ERR_INVALID_REDIRECT' } });
  if (location === undefined || location === '') throw refuse('nowhere');
  const url = URL.parse(location, from.href);
  if (!url) throw refuse('what is not a URL');
  if (!/^(?:http|ws)s?:$/.test(url.protocol)) throw refuse(`a ${url.protocol} URL`);
  url.protocol = url.protocol.replace('http', 'ws');
  // What a server writes into a URL are not our credentials; a fragment is not sent.
  url.username = url.password = url.hash = '';
  return url;
}
