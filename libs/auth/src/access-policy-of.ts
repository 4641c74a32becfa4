import { AccessPolicy } from '@edgesync/access';
import type { EdgeConfig } from '@edgesync/config';

/** The access policy that the configuration asks for: its top-level switch, and those of its databases. */
export function accessPolicyOf({ enableUserAccessControl, databases }: EdgeConfig): AccessPolicy {
  return new AccessPolicy({
    byDefault: enableUserAccessControl,
    databases: new Map([...databases.values()].map((database) => [database.name, database.enableUserAccessControl])),
  });
}
