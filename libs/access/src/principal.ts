import type { AccessRule } from './keyspace-pattern.js';

/**
 * Rights beyond ordinary REST and sync: `replicate` handles replications, `admin` everything
 * (docs/protocol/edge-server.md#authentication).
 */
export const ROLES = ['admin', 'replicate'] as const;
export type Role = (typeof ROLES)[number];

/** The authenticated sender of a request. */
export interface Principal {
  /** Absent for an anonymous user. */
  readonly name?: string;
  readonly anonymous: boolean;
  readonly roles: ReadonlySet<Role>;
  /** Rules of the users file, already parsed. Absent: the user has no `access` key; empty: the user may do nothing. */
  readonly access?: readonly AccessRule[];
}

/** The one principal of all requests without credentials. It has no role. */
export const ANONYMOUS: Principal = Object.freeze({ anonymous: true, roles: new Set<Role>() });

/** Whether the principal has the role; `admin` includes every other one. */
export function hasRole(principal: Principal, role: Role): boolean {
  return principal.roles.has(role) || principal.roles.has('admin');
}
