import type { ReplicationConfig } from '@edgesync/config';
import { EdgeError } from '@edgesync/errors';
import { MAX_DEFINITION_BYTES } from './tuning.js';

/** Makes texts unreadable to all but the gateways and workers of the deployment. */
export interface Seal {
  seal(text: string): Uint8Array;
  /** @throws Error if it was not sealed by this deployment */
  open(sealed: Uint8Array): string;
  /** The same for the same text. */
  fingerprint(text: string): string;
}

/** @throws EdgeError `request.invalid` for a definition of more than 256 kB */
export function sealDefinition(seal: Seal, definition: ReplicationConfig): Uint8Array {
  const sealed = seal.seal(JSON.stringify(definition));
  if (sealed.byteLength > MAX_DEFINITION_BYTES)
    throw new EdgeError('request.invalid', `the replication is larger than ${MAX_DEFINITION_BYTES >> 10} kB`);
  return sealed;
}

/** @throws EdgeError `config.invalid` */
export function openDefinition(seal: Seal, sealed: Uint8Array): ReplicationConfig {
  try {
    return JSON.parse(seal.open(sealed)) as ReplicationConfig;
  } catch {
    throw new EdgeError('config.invalid', 'the definition cannot be opened: services have different secrets');
  }
}
