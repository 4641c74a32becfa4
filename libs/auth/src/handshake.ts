import { createHmac, randomBytes, timingSafeEqual } from 'node:crypto';
import { ROLES, type AccessRule, type Principal, type Role } from '@edgesync/access';
import { EdgeError } from '@edgesync/errors';

/** The header in which a gateway vouches for an upgrade request. */
export const HANDSHAKE_HEADER = 'x-edgesync-handshake';

/** How long a handshake is good for, in milliseconds: the way to the worker, and what clocks of boxes differ. */
export const HANDSHAKE_LIFE_MS = 30_000;

/** The statement of a gateway about an app, for a worker. */
export interface Handshake {
  readonly principal: Principal;
  readonly database: string;
  /** ID of the worker that is meant; no other one accepts it. */
  readonly worker: string;
  /** `address:port` of the app. */
  readonly remote: string;
  /** Names the session to come, and makes the handshake good for one; random. */
  readonly session: string;
}

/** As it is signed: JSON. */
interface Signed {
  readonly v: 2;
  readonly name?: string;
  readonly anonymous: boolean;
  readonly roles: readonly Role[];
  readonly access?: readonly AccessRule[];
  readonly database: string;
  readonly worker: string;
  readonly remote: string;
  readonly session: string;
  /** Unix milliseconds. */
  readonly expires: number;
}

/** A name for a session that nobody guesses. */
export const newSession = (): string => randomBytes(16).toString('base64url');

/** Signs with HMAC-SHA-256. @returns the value of {@link HANDSHAKE_HEADER}: `payload.signature`, in base64url */
export function signHandshake(secret: string, handshake: Handshake, now: number = Date.now()): string {
  const { principal, database, worker, remote, session } = handshake;
  const { name, anonymous, roles, access } = principal;
  const signed: Signed = {
    v: 2,
    ...(name !== undefined && { name }),
    anonymous,
    roles: [...roles],
    ...(access && { access }),
    database,
    worker,
    remote,
    session,
    expires: now + HANDSHAKE_LIFE_MS,
  };
  const payload = Buffer.from(JSON.stringify(signed)).toString('base64url');
  return `${payload}.${signature(secret, payload).toString('base64url')}`;
}

/** Accepts what a gateway signed: for this worker, lately, and once. */
export class HandshakeVerifier {
  /** Sessions of handshakes that were used, with the time they would expire by themselves; oldest first. */
  private readonly used = new Map<string, number>();

  constructor(
    private readonly secret: string,
    private readonly worker: string,
    private readonly now: () => number = Date.now,
  ) {}

  /**
   * @throws EdgeError `handshake.refused` with the reason; `handshake.stale` if a gateway meant another worker: this one
   * was started in the place of one that died
   */
  verify(token: string | undefined, database: string): Handshake {
    const signed = this.read(token);
    const now = this.now();
    if (signed.expires < now) refuse('the handshake has expired');
    // One that is good for longer than any gateway makes it would have to be remembered for longer.
    if (signed.expires > now + 2 * HANDSHAKE_LIFE_MS) refuse('the handshake is from the future');
    if (signed.worker !== this.worker) throw new EdgeError('handshake.stale');
    if (signed.database !== database) refuse('the handshake is for another database');
    this.forget(now);
    if (this.used.has(signed.session)) refuse('the handshake was used before');
    this.used.set(signed.session, signed.expires);
    const { name, anonymous, roles, access, worker, remote, session } = signed;
    const principal: Principal = {
      ...(name !== undefined && { name }),
      anonymous,
      roles: new Set(roles.filter((role) => ROLES.includes(role))),
      ...(access && { access }),
    };
    return { principal, database, worker, remote, session };
  }

  private read(token: string | undefined): Signed {
    if (token === undefined) return refuse('the handshake is not signed by a gateway');
    const [payload = '', given = ''] = token.split('.');
    const bytes = Buffer.from(given, 'base64url');
    const expected = signature(this.secret, payload);
    if (bytes.length !== expected.length || !timingSafeEqual(bytes, expected))
      return refuse('the signature of the handshake is wrong');
    const signed = JSON.parse(Buffer.from(payload, 'base64url').toString()) as Signed;
    return signed.v === 2 ? signed : refuse('the handshake is of another release');
  }

  /** Clocks of gateways differ, so the order is nearly, not exactly, that of expiry: late ones go with those before them. */
  private forget(now: number): void {
    for (const [session, expires] of this.used) {
      if (expires >= now) break;
      this.used.delete(session);
    }
  }
}

const signature = (secret: string, payload: string): Buffer => createHmac('sha256', secret).update(payload).digest();

function refuse(reason: string): never {
  throw new EdgeError('handshake.refused', reason);
}
