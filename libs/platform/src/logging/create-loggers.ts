import type { LoggingConfig } from '@edgesync/config';
import { DescriptorOutput } from './log-output.js';
import { Loggers } from './loggers.js';
import { preciseClock } from './timestamp.js';

const STDERR = 2;

/** The loggers of this process; they write to standard error. */
export function createLoggers(config: LoggingConfig, options: { verbose?: boolean; color?: boolean } = {}): Loggers {
  return new Loggers({ config, output: new DescriptorOutput(STDERR), now: preciseClock(), ...options });
}
