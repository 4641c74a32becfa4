import { EdgeError } from '@edgesync/errors';
import { Fields, isCount } from './fields.js';

/*
 * What a gateway asks of the worker that has the session of one of its apps. Sessions are named as in the handshake.
 */

/** Everything that can be asked: the last token of a request's subject. */
export const SESSION_OPERATIONS = ['end', 'traffic'] as const;

export type SessionOperation = (typeof SESSION_OPERATIONS)[number];

/** Why a session ends: whoever it belongs to is not who they were, or the gateway stops. */
export const SESSION_ENDINGS = ['user-changed', 'gateway-stops'] as const;

export type SessionEnding = (typeof SESSION_ENDINGS)[number];

/** Ends a session so that its app comes back. There is no answer: the connection ends. */
export class EndSession {
  static readonly version = 1;

  constructor(
    readonly session: string,
    readonly why: SessionEnding,
  ) {}

  static parse(meta: unknown): EndSession {
    const fields = new Fields('end of a session', meta);
    return new EndSession(fields.text('session'), fields.oneOf('why', SESSION_ENDINGS));
  }
}

/** Asks how many revisions sessions have carried. */
export class TrafficRequest {
  static readonly version = 1;

  constructor(readonly sessions: readonly string[]) {}

  static parse(meta: unknown): TrafficRequest {
    return new TrafficRequest(new Fields('question for traffic', meta).texts('sessions'));
  }
}

/** Revisions that a session has carried, as the server sees them. */
export type SessionTraffic = readonly [session: string, sent: number, received: number];

export class TrafficReply {
  static readonly version = 1;

  constructor(
    /** Of those sessions that there are. */
    readonly traffic: readonly SessionTraffic[],
  ) {}

  static parse(meta: unknown): TrafficReply {
    return new TrafficReply(new Fields('traffic', meta).list('traffic').map(parseTraffic));
  }
}

function parseTraffic(row: unknown): SessionTraffic {
  const [session, sent, received] = Array.isArray(row) ? (row as unknown[]) : [];
  if (typeof session !== 'string' || !isCount(sent) || !isCount(received))
    throw new EdgeError('bus.invalid', 'traffic has a row that is not session, sent and received');
  return [session, sent, received];
}
