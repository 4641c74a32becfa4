import { covers, formatPattern } from '@edgesync/access';
import { formatCollection } from '@edgesync/document';
import type { ReadResult } from './config-issue.js';
import { didYouMean } from './did-you-mean.js';
import type { EdgeConfig } from './edge-config.js';
import { parseJson5 } from './json5-text.js';
import { INVALID, isObject, Report, text as anyText, type Place } from './shape.js';
import { usersShape, type UserEntry } from './users-schema.js';

/** The users by name, in the order of the file. */
export type Users = ReadonlyMap<string, UserEntry>;

/** Reads the text of a users file. Reports every issue, not just the first. */
export function readUsers(text: string, file: string): ReadResult<Users> {
  const report = new Report(file);
  const { root } = report;
  let members = parseJson5(text, root);
  if (isObject(members)) {
    const { $schema, ...users } = members;
    if ($schema !== undefined) anyText().read($schema, root.at('$schema'));
    members = users;
  }
  const entries = members === INVALID ? INVALID : usersShape.read(members, root);
  const { issues, warnings } = report;
  if (entries === INVALID || issues.length > 0) return { ok: false, issues, warnings };
  const users = new Map([...entries].map(([name, entry]): [string, UserEntry] => [name, { name, ...entry }]));
  return { ok: true, value: users, warnings };
}

/** Checks the users against the configuration they serve. */
export function checkUsers(users: Users, config: EdgeConfig, file: string): Pick<Report, 'issues' | 'warnings'> {
  const report = new Report(file);
  const databases = [...config.databases.values()];
  const enforcedSomewhere =
    config.enableUserAccessControl || databases.some((database) => database.enableUserAccessControl);
  for (const user of users.values()) {
    const entry = report.root.at(user.name);
    if (enforcedSomewhere) {
      checkRuleTargets(user, config, entry.at('access'));
      continue;
    }
    if (user.access)
      entry
        .at('access')
        .refuse(
          "requires setting 'enable_user_access_control: true'",
          'Set it in the configuration, or remove the access rules.',
        );
    if (user.passwordHash === undefined)
      entry.at('password').refuse('is missing', 'Give the user a password with edgesync --add-user.');
  }
  return report;
}

/** Finds rules that cover nothing, or that nothing enforces: an operator would rely on them. */
function checkRuleTargets({ access = [] }: UserEntry, { databases }: EdgeConfig, place: Place): void {
  const patterns = access.map(({ pattern }) => pattern).filter(({ database }) => database !== undefined);
  for (const name of new Set(patterns.map(({ database }) => database!))) {
    const database = databases.get(name);
    if (!database)
      place.warn(
        `has a rule for database '${name}', which is not configured`,
        `${meant(name, databases.keys())}Check the spelling, or remove the rule.`,
      );
    else if (database.ownAccessControlSwitch === false)
      place.warn(
        `has a rule for database '${name}': access control is not enabled for that database; those rules will be ignored`,
        'Set its enable_user_access_control to true, or remove the rule.',
      );
    else if (!database.enableUserAccessControl)
      place.refuse(
        `has a rule for database '${name}', where access control is off: it requires setting 'enable_user_access_control: true'`,
        'Set it for that database, or remove the rule.',
      );
  }
  for (const pattern of patterns) {
    const shared = databases.get(pattern.database!)?.collections;
    if (!shared || shared.some((collection) => covers(pattern, { database: pattern.database!, ...collection })))
      continue;
    const { database, scope, collection } = pattern;
    place.warn(
      `has a rule for '${formatPattern(pattern)}', and database '${database}' shares no such collection`,
      `${collection === undefined ? '' : meant(`${scope}.${collection}`, shared.map(formatCollection))}Shared are ${shared.map(formatCollection).join(', ')}.`,
    );
  }
}

function meant(name: string, known: Iterable<string>): string {
  const candidate = didYouMean(name, known);
  return candidate === undefined ? '' : `Did you mean '${candidate}'? `;
}
