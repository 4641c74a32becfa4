import { openAuditLog, type AuditLog } from '@edgesync/audit';
import type { LoggingConfig } from '@edgesync/config';
import { explain } from '@edgesync/errors';
import { createLoggers, type Loggers } from '@edgesync/logging';
import { Metrics } from '@edgesync/metrics';
import { COMPATIBLE_VERSION, VERSION } from '../product.js';

/** Records of the life of a process: operational log, audit log and metrics. */
export interface Observers {
  readonly loggers: Loggers;
  readonly audit: AuditLog;
  readonly metrics: Metrics;
  /** Writes what waits and ends the files: nothing is to be recorded after this. */
  close(): Promise<void>;
}

/**
 * Opens the observers that the configuration asks for.
 * @throws Error naming the file that cannot be written
 */
export async function openObservers(
  config: LoggingConfig,
  options: { verbose?: boolean; color?: boolean } = {},
): Promise<Observers> {
  const loggers = await createLoggers(config, options).catch((error: unknown) => {
    throw new Error(`the log files in ${config.file?.dir} cannot be begun: ${explain(error)}`, { cause: error });
  });
  const auditLog = await openAuditLog(config.audit, loggers.domain('Default')).catch(async (error: unknown) => {
    await loggers.close();
    throw new Error(`the audit log ${config.audit?.file} cannot be written: ${explain(error)}`, { cause: error });
  });
  const metrics = new Metrics();
  metrics.showBuild(VERSION, COMPATIBLE_VERSION);
  metrics.watchLosses({ logLines: () => loggers.droppedLines(), auditEvents: () => auditLog.lostEvents() });
  return {
    loggers,
    audit: auditLog.audit,
    metrics,
    close: async () => {
      // The audit log may have something to say to the operational one.
      await auditLog.close();
      await loggers.close();
    },
  };
}
