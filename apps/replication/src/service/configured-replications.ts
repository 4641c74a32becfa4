import type { ReplicationConfig } from '@edgesync/config';
import type { Sealer } from '@edgesync/platform';

/** A replication of the configuration file. */
export interface ConfiguredReplication {
  /** Its place in the file. */
  readonly index: number;
  /** The same in every worker that has the same definition; it tells nothing about it. */
  readonly key: string;
  readonly definition: ReplicationConfig;
}

/** Names the replications of a configuration file by what they are, so that one that was changed is another one. */
export function configuredReplications(
  definitions: readonly ReplicationConfig[],
  sealer: Sealer,
): ReadonlyMap<string, ConfiguredReplication> {
  const named = new Map<string, ConfiguredReplication>();
  for (const [index, definition] of definitions.entries()) {
    const text = JSON.stringify(definition);
    // The file may have the same one twice.
    let key = sealer.fingerprint(text);
    for (let copy = 2; named.has(key); copy++) key = sealer.fingerprint(`${copy} ${text}`);
    named.set(key, { index, key, definition });
  }
  return named;
}
