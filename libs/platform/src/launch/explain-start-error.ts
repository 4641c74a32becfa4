import { isEdgeError } from '@edgesync/errors';
import { ConfigError } from '@edgesync/config-files';

/** The message for an operator when the server does not start, with the fix where there is one. */
export function explainStartError(error: unknown): string {
  if (error instanceof ConfigError) return error.message;
  if (isEdgeError(error)) return `${error.message}. ${error.entry.remedy}`;
  return error instanceof Error ? error.message : String(error);
}
