import { describe, expect, it } from 'vitest';
import { ANONYMOUS, hasRole, type Principal, type Role } from './principal.js';

const user = (...roles: Role[]): Principal => ({ name: 'alice', anonymous: false, roles: new Set(roles) });

describe('roles', () => {
  it('admin includes every role', () => {
    expect(hasRole(user('admin'), 'admin')).toBe(true);
    expect(hasRole(user('admin'), 'replicate')).toBe(true);
  });

  it('replicate is not admin', () => {
    expect(hasRole(user('replicate'), 'replicate')).toBe(true);
    expect(hasRole(user('replicate'), 'admin')).toBe(false);
  });

  it('neither a user without roles nor an anonymous one has any', () => {
    for (const principal of [user(), ANONYMOUS])
      for (const role of ['admin', 'replicate'] as const) expect(hasRole(principal, role)).toBe(false);
  });
});
