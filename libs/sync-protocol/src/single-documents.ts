import { type BlipMessage, Properties, type ReplyInit } from '@edgesync/blip';
import { encodeText, requireProperty } from './values.js';

/** A `getRev` request of the connected-client API (docs/protocol/replication.md#connected-clients). */
export interface GetRev {
  readonly id: string;
  readonly ifNotRev?: string;
}

/** @throws EdgeError `request.invalid` */
export function parseGetRev({ properties }: BlipMessage): GetRev {
  const ifNotRev = properties.get('ifNotRev');
  return { id: requireProperty(properties, 'id'), ...(ifNotRev !== undefined && { ifNotRev }) };
}

export function buildGetRevReply(rev: string, json: string): ReplyInit {
  return { properties: Properties.of('rev', rev), body: encodeText(json), compressed: true };
}
