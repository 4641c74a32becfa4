import { formatFault, type Fault } from '@edgesync/config';

/** What keeps the server from starting, told in full: `message` has a line for every fault. */
export class ConfigError extends Error {
  override readonly name = 'ConfigError';

  constructor(readonly faults: readonly Fault[]) {
    const lines = faults.map(formatFault);
    super(lines.length === 1 ? lines[0] : [`${lines.length} faults:`, ...lines.map((line) => `  ${line}`)].join('\n'));
  }
}
