import type { LoggingConfig } from '@edgesync/config';
import { DescriptorOutput } from './descriptor-output.js';
import { LogFiles } from './log-files.js';
import { Loggers } from './loggers.js';
import { formatTimestamp, preciseClock } from './timestamp.js';

const STDERR = 2;

/**
 * The loggers of this process; they write to standard error and, if configured, to files. Files that cannot be written
 * yet, as the disk is full, do not keep the process from starting.
 * @throws the file system's error if the files cannot be written at all
 */
export async function createLoggers(
  config: LoggingConfig,
  options: { verbose?: boolean; color?: boolean } = {},
): Promise<Loggers> {
  const now = preciseClock();
  const output = new DescriptorOutput(STDERR);
  // Reported on the console, even where that is off: nobody could read it elsewhere.
  const report = (message: string): void => output.line(`${formatTimestamp(now())} Default ERROR ${message}`);
  const files = config.file && (await LogFiles.open({ config: config.file, now, report }));
  return new Loggers({ config, output, now, ...(files && { files }), ...options });
}
