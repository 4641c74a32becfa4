import { formatIssue, type ConfigIssue } from '@edgesync/config';

/** The problems that keep the server from starting: `message` has a line for each. */
export class ConfigError extends Error {
  override readonly name = 'ConfigError';

  constructor(readonly issues: readonly ConfigIssue[]) {
    const lines = issues.map(formatIssue);
    super(lines.length === 1 ? lines[0] : [`${lines.length} errors:`, ...lines.map((line) => `  ${line}`)].join('\n'));
  }
}
