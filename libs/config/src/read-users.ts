import type { EdgeConfig } from './edge-config.js';
import type { ConfigIssue, ReadResult } from './config-issue.js';
import { parseJson5 } from './json5-text.js';
import { INVALID, isObject, Place, text as anyText } from './shape.js';
import { usersShape, type UserEntry } from './users-schema.js';

/** The users by name, in the order of the file. */
export type Users = ReadonlyMap<string, UserEntry>;

/** Reads the text of a users file (ref 3.8). Tells every fault, not just the first. */
export function readUsers(text: string, file: string): ReadResult<Users> {
  const parsed = parseJson5(text, file);
  if (!('value' in parsed)) return { ok: false, issues: [parsed] };
  const issues: ConfigIssue[] = [];
  const root = new Place(file, '', issues);
  let members = parsed.value;
  if (isObject(members)) {
    const { $schema, ...users } = members;
    if ($schema !== undefined) anyText().read($schema, root.at('$schema'));
    members = users;
  }
  const entries = usersShape.read(members, root);
  if (entries === INVALID || issues.length > 0) return { ok: false, issues };
  const users = new Map([...entries].map(([name, entry]): [string, UserEntry] => [name, { name, ...entry }]));
  return { ok: true, value: users, warnings: [] };
}

/** Checks the users against the configuration they serve (ref 3.6). */
export function checkUsers(
  users: Users,
  config: EdgeConfig,
  file: string,
): { issues: ConfigIssue[]; warnings: ConfigIssue[] } {
  const issues: ConfigIssue[] = [];
  const warnings: ConfigIssue[] = [];
  const databases = [...config.databases.values()];
  const enforcedSomewhere =
    config.enableUserAccessControl || databases.some((database) => database.enableUserAccessControl);
  for (const user of users.values()) {
    const entry = new Place(file, '', issues).at(user.name);
    if (!enforcedSomewhere) {
      if (user.access)
        entry
          .at('access')
          .refuse(
            "requires setting 'enable_user_access_control: true'",
            'Set it in the configuration, or remove the access rules.',
          );
      if (user.passwordHash === undefined)
        entry.at('password').refuse('is missing', 'Give the user a password with edgesync --add-user.');
      continue;
    }
    for (const name of new Set(user.access?.map((rule) => rule.pattern.database)))
      if (name !== undefined)
        checkRuleTarget(name, config, entry.at('access'), new Place(file, '', warnings).at(user.name).at('access'));
  }
  return { issues, warnings };
}

/** A rule for a database that does not enforce rules would be believed in and do nothing (ref 3.6). */
function checkRuleTarget(name: string, config: EdgeConfig, error: Place, warning: Place): void {
  const database = config.databases.get(name);
  if (!database)
    warning.refuse(
      `has a rule for database '${name}', which is not configured`,
      'Check the spelling, or remove the rule.',
    );
  else if (database.ownAccessControlSwitch === false)
    warning.refuse(
      `has a rule for database '${name}': access control is not enabled for that database; those rules will be ignored`,
      'Set its enable_user_access_control to true, or remove the rule.',
    );
  else if (!database.enableUserAccessControl)
    error.refuse(
      `has a rule for database '${name}', where access control is off: it requires setting 'enable_user_access_control: true'`,
      'Set it for that database, or remove the rule.',
    );
}
