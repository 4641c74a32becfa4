import { CATALOGUE, type CatalogueEntry, EdgeError } from '@edgesync/errors';
import type { BlipErrorInfo, ReplyInit } from './message.js';
import { Properties } from './properties.js';

/** An error as the catalogue puts it on the wire; anything uncatalogued becomes the catalogue's `internal`. */
export function errorReplyOf(error: unknown): BlipErrorInfo {
  const known = error instanceof EdgeError ? error : new EdgeError('internal');
  const entry: CatalogueEntry = CATALOGUE[known.code];
  const { domain, code } = entry.blip ?? { domain: 'HTTP', code: entry.http };
  return { domain, code, message: known.message };
}

/** Properties and body of an error reply (docs/protocol/blip.md#error-replies). */
export function errorReplyContent({ domain, code, message }: BlipErrorInfo): ReplyInit {
  return {
    properties: Properties.of('Error-Domain', domain, 'Error-Code', String(code)),
    body: utf8Encoder.encode(message),
  };
}

/** Reads an error reply. A missing domain means BLIP, an unreadable code 599 (unspecified). */
export function readErrorReply(properties: Properties, message: string): BlipErrorInfo {
  const code = Number(properties.get('Error-Code') ?? Number.NaN);
  return {
    domain: properties.get('Error-Domain') ?? 'BLIP',
    code: Number.isInteger(code) ? code : 599,
    message,
  };
}

const utf8Encoder = new TextEncoder();
