import * as v from 'valibot';
import { array, count, object, oneOf, parse, text, texts } from './schema.js';

/*
 * Requests of a gateway to the worker that has the session of one of its apps. Sessions are named as in the handshake.
 */

/** Everything that can be asked: the last token of a request's subject. */
export const SESSION_OPERATIONS = ['end', 'traffic'] as const;

export type SessionOperation = (typeof SESSION_OPERATIONS)[number];

/** Why a session ends: its user was changed or removed, or the gateway stops. */
export const SESSION_ENDINGS = ['user-changed', 'gateway-stops'] as const;

export type SessionEnding = (typeof SESSION_ENDINGS)[number];

const endMeta = object({ session: text(), why: oneOf(SESSION_ENDINGS) });

/** Ends a session so that its app comes back. There is no answer: the connection ends. */
export class EndSession {
  static readonly version = 1;

  constructor(
    readonly session: string,
    readonly why: SessionEnding,
  ) {}

  static parse(meta: unknown): EndSession {
    const { session, why } = parse('end of a session', endMeta, meta);
    return new EndSession(session, why);
  }
}

const trafficRequestMeta = object({ sessions: texts() });

/** Asks how many revisions sessions have carried. */
export class TrafficRequest {
  static readonly version = 1;

  constructor(readonly sessions: readonly string[]) {}

  static parse(meta: unknown): TrafficRequest {
    return new TrafficRequest(parse('traffic request', trafficRequestMeta, meta).sessions);
  }
}

/** Revisions that a session has carried, as the server sees them. */
export type SessionTraffic = readonly [session: string, sent: number, received: number];

const trafficMeta = object({ traffic: array(v.tuple([text(), count(), count()])) });

export class TrafficReply {
  static readonly version = 1;

  constructor(
    /** Of the sessions that exist. */
    readonly traffic: readonly SessionTraffic[],
  ) {}

  static parse(meta: unknown): TrafficReply {
    return new TrafficReply(parse('traffic', trafficMeta, meta).traffic);
  }
}
