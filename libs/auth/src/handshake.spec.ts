import { readUsers } from '@edgesync/config';
import { isEdgeError } from '@edgesync/errors';
import { describe, expect, it } from 'vitest';
import { HANDSHAKE_LIFE_MS, HandshakeVerifier, signHandshake, type Handshake } from './handshake.js';

const SECRET = 'a secret that gateways and workers share';
const HANDSHAKE: Handshake = {
  principal: {
    name: 'ann',
    anonymous: false,
    roles: new Set(['replicate'] as const),
    access: [{ pattern: { database: 'db' }, read: true, write: false }],
  },
  database: 'db',
  worker: 'w1',
  remote: '10.0.0.7:4711',
  session: 's1',
};

const refusal = (verify: () => unknown): string => {
  try {
    verify();
  } catch (error) {
    if (isEdgeError(error, 'handshake.refused') || isEdgeError(error, 'handshake.stale')) return error.message;
    throw error;
  }
  return 'accepted';
};

describe('a handshake', () => {
  it('states who the app is', () => {
    const verifier = new HandshakeVerifier(SECRET, 'w1');
    expect(verifier.verify(signHandshake(SECRET, HANDSHAKE), 'db')).toEqual(HANDSHAKE);
  });

  it('carries users without rules and anonymous users as what they are', () => {
    const verifier = new HandshakeVerifier(SECRET, 'w1');
    for (const [index, principal] of [
      { anonymous: true, roles: new Set<never>() },
      { name: 'bob', anonymous: false, roles: new Set(['admin'] as const) },
      { name: 'eve', anonymous: false, roles: new Set<never>(), access: [] },
    ].entries()) {
      const handshake = { ...HANDSHAKE, principal, session: `s${index}` };
      expect(verifier.verify(signHandshake(SECRET, handshake), 'db')).toEqual(handshake);
    }
  });

  it('carries the rules of a users file', () => {
    const password = '$2y$05$abcdefghijklmnopqrstuuVWu8RjbNovPZWAMRdd7iqaaG0mI53Uu';
    const text = JSON.stringify({
      ann: { password, access: { 'db.*': ['read'], 'db.a.b': ['write'], '*': ['read'] } },
    });
    const users = readUsers(text, 'users.json');
    if (!users.ok) throw new Error('the example is invalid');
    const { access } = users.value.get('ann')!;
    const handshake = { ...HANDSHAKE, principal: { ...HANDSHAKE.principal, access: access! } };
    expect(new HandshakeVerifier(SECRET, 'w1').verify(signHandshake(SECRET, handshake), 'db')).toEqual(handshake);
  });

  it('is accepted once', () => {
    const verifier = new HandshakeVerifier(SECRET, 'w1');
    const token = signHandshake(SECRET, HANDSHAKE);
    verifier.verify(token, 'db');
    expect(refusal(() => verifier.verify(token, 'db'))).toMatch(/used before/);
  });

  it('is still refused a second time at the last moment of its life, and expired right after', () => {
    let now = 1_000_000;
    const verifier = new HandshakeVerifier(SECRET, 'w1', () => now);
    const token = signHandshake(SECRET, HANDSHAKE, now);
    verifier.verify(token, 'db');
    now += HANDSHAKE_LIFE_MS;
    expect(refusal(() => verifier.verify(token, 'db'))).toMatch(/used before/);
    now += 1;
    expect(refusal(() => verifier.verify(token, 'db'))).toMatch(/expired/);
  });

  it('is refused after its time, and from the future', () => {
    const verifier = new HandshakeVerifier(SECRET, 'w1', () => 1_000_000);
    const made = (at: number) => signHandshake(SECRET, HANDSHAKE, at);
    expect(refusal(() => verifier.verify(made(1_000_000 - HANDSHAKE_LIFE_MS - 1), 'db'))).toMatch(/expired/);
    expect(refusal(() => verifier.verify(made(1_000_000 + HANDSHAKE_LIFE_MS + 1), 'db'))).toMatch(/future/);
  });

  it('is refused for other databases, and by other workers so that the app comes back', () => {
    const token = signHandshake(SECRET, HANDSHAKE);
    expect(refusal(() => new HandshakeVerifier(SECRET, 'w2').verify(token, 'db'))).toMatch(/a worker that is gone/);
    expect(() => new HandshakeVerifier(SECRET, 'w2').verify(token, 'db')).toThrow(
      expect.objectContaining({ code: 'handshake.stale', status: 503 }),
    );
    expect(refusal(() => new HandshakeVerifier(SECRET, 'w1').verify(token, 'other'))).toMatch(/another database/);
  });

  it('is refused when it is missing, signed with another secret, or changed in any place', () => {
    const verifier = new HandshakeVerifier(SECRET, 'w1');
    expect(refusal(() => verifier.verify(undefined, 'db'))).toMatch(/not signed/);
    expect(refusal(() => verifier.verify('', 'db'))).toMatch(/signature/);
    expect(refusal(() => verifier.verify(signHandshake(`${SECRET}!`, HANDSHAKE), 'db'))).toMatch(/signature/);
    const token = signHandshake(SECRET, HANDSHAKE);
    const payloadEnd = token.indexOf('.');
    for (let at = 0; at < payloadEnd; at++) {
      const changed = `${token.slice(0, at)}${token[at] === 'A' ? 'B' : 'A'}${token.slice(at + 1)}`;
      expect(refusal(() => verifier.verify(changed, 'db'))).toMatch(/signature/);
    }
    expect(refusal(() => verifier.verify(token, 'db'))).toBe('accepted');
  });
});
