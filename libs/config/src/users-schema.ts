import { PERMISSIONS, ROLES, parseKeyspacePattern, type AccessRule, type Role } from '@edgesync/access';
import { ACCESS_PATTERN, USER_NAME } from './names.js';
import { dictionary, list, mapped, object, oneOf, optional, text } from './shape.js';

/** One entry of the users file. */
export interface UserEntry {
  readonly name: string;
  /** bcrypt hash. Absent: the user comes with a client certificate only. */
  readonly passwordHash?: string;
  readonly roles: ReadonlySet<Role>;
  /** Absent: the entry has no `access` key. */
  readonly access?: readonly AccessRule[];
}

/**
 * bcrypt in the variants whose algorithm is sound: 2, 2a, 2b and 2y agree on passwords without zero bytes; 2x marks
 * hashes of a faulty implementation. Costs beyond 31 do not exist.
 */
const BCRYPT_HASH = {
  pattern: /^\$2[aby]\$(?:0[4-9]|[12]\d|3[01])\$[./A-Za-z0-9]{53}$/,
  expects: 'a bcrypt hash of 60 characters ($2a$, $2b$ or $2y$), as edgesync --add-user and htpasswd -nB make it',
};

const accessShape = mapped(dictionary(list(oneOf(PERMISSIONS)), ACCESS_PATTERN), (entries): AccessRule[] =>
  [...entries].map(([pattern, permissions]) => ({
    pattern: parseKeyspacePattern(pattern),
    read: permissions.includes('read'),
    write: permissions.includes('write'),
  })),
);

const userShape = mapped(
  object({
    password: optional(text(BCRYPT_HASH), 'bcrypt hash of the password.'),
    roles: optional(list(oneOf(ROLES)), '"admin" may do everything; "replicate" may start and stop replications.'),
    access: optional(
      accessShape,
      'Rights by keyspace ("db.scope.collection", "db.scope.*", "db.*", "*"). Absent: full access; { }: none.',
    ),
  }),
  (user): Omit<UserEntry, 'name'> => ({
    passwordHash: user.password,
    roles: new Set(user.roles),
    access: user.access,
  }),
);

/** The users file (docs/protocol/edge-server.md#users-file), without its `$schema`. */
export const usersShape = dictionary(userShape, USER_NAME);
