import { explain, isEdgeError } from '@edgesync/errors';
import { ConfigError } from '@edgesync/config-files';

/** Why the server does not start, in one message, with the fix where the catalogue has one. */
export function explainStartError(error: unknown): string {
  if (error instanceof ConfigError) return error.message;
  if (isEdgeError(error)) return `${explain(error)}. ${error.entry.remedy}`;
  return explain(error);
}
