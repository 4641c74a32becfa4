import type { IncomingMessage } from 'node:http';
import type { FastifyRequest } from 'fastify';
import { EdgeError } from '@edgesync/errors';
import { isSyncTarget } from '@edgesync/platform';
import { asksForWebSocket } from './upgrade.js';

/** The one major version of the API there is (docs/protocol/rest.md#api-version). */
const API_MAJOR = 1;
const API_VERSION = /^\s*(\d{1,9})(?:\.\d{1,9})*\s*$/;

/**
 * Checks that hold for every request, whatever its path.
 * @throws EdgeError `request.invalid`, `request.upgrade`
 */
export function checkRequest({ raw }: FastifyRequest): void {
  const { headers } = raw;
  if (headers.host === undefined && raw.httpVersion === '1.1')
    throw new EdgeError('request.invalid', 'the Host header is missing');
  if (hasTwoHosts(raw.rawHeaders)) throw new EdgeError('request.invalid', 'there is more than one Host header');
  if (!hasKnownFraming(raw))
    throw new EdgeError('request.invalid', 'the only transfer coding is chunked, and HTTP/1.0 has none');
  if (headers.upgrade !== undefined && asksForWebSocket(raw) && !isSyncTarget(raw.url))
    throw new EdgeError('request.upgrade');
  const version = headers['api-version'];
  if (version !== undefined) checkApiVersion(String(version));
}

/**
 * Whether the body is where this server looks for it. Node decodes `chunked` and leaves every coding before it alone: the
 * body would be taken for what it is not. Of HTTP/1.0 with a coding nobody knows what was meant (RFC 9112, 6.1).
 */
export function hasKnownFraming({ headers, httpVersion }: IncomingMessage): boolean {
  const coding = headers['transfer-encoding'];
  return coding === undefined || (coding.toLowerCase() === 'chunked' && httpVersion === '1.1');
}

/** Proxies and servers that choose different ones of them see different requests (RFC 9112, 3.2). */
function hasTwoHosts(rawHeaders: readonly string[]): boolean {
  let hosts = 0;
  for (let index = 0; index < rawHeaders.length; index += 2) {
    const name = rawHeaders[index]!;
    if (name.length === 4 && name.toLowerCase() === 'host') hosts++;
  }
  return hosts > 1;
}

/** @throws EdgeError `request.invalid` for a version of the API that is not served */
export function checkApiVersion(text: string): void {
  const major = API_VERSION.exec(text)?.[1];
  if (major === undefined) throw new EdgeError('request.invalid', 'API-Version must be a version number such as 1.0');
  if (Number(major) !== API_MAJOR)
    throw new EdgeError('request.invalid', `API-Version ${text.trim()} is not served, 1.0 is`);
}
