import type { AuditConfig } from '@edgesync/config';
import { LineQueue, passesByItself, type Logger } from '@edgesync/logging';
import { AuditFile } from './audit-file.js';
import { AuditLog } from './audit-log.js';
import { selectEvents, unknownEvents } from './audit-selection.js';

/** The audit log of a process, and what ends it. */
export interface OpenAuditLog {
  readonly audit: AuditLog;
  /** Events that could not be recorded since the process began. */
  lostEvents(): number;
  /** Writes what waits, syncs it to the disk and closes the file. */
  close(): Promise<void>;
}

/**
 * Opens the audit log that the configuration asks for; without a file, one that records nothing. A full disk does not keep
 * it from starting: events wait, and are counted where they are too many.
 * @param log receives the errors of the audit log itself
 * @throws the file system's error if the file cannot be written at all
 */
export async function openAuditLog(config: AuditConfig | undefined, log: Logger): Promise<OpenAuditLog> {
  if (config?.file === undefined) return { audit: AuditLog.none(), lostEvents: () => 0, close: async () => {} };
  const path = config.file;
  for (const id of unknownEvents(config)) log.warning(`logging.audit: there is no event ${id}`);
  const file = new AuditFile(path, (error) => log.error(`the audit log ${path} cannot be synced to the disk`, error));
  await file.begin().catch((error: unknown) => {
    if (!passesByItself(error)) throw error;
    log.error(`the audit log ${path} cannot be written for now`, error);
  });
  const queue = new LineQueue(file, {
    dropNote: (count) => lossLine(count, config.omitDescription),
    failed: (error) => log.error(`the audit log ${path} cannot be written for now`, error),
    recovered: () => log.warning(`the audit log ${path} is written again`),
  });
  const audit = new AuditLog({
    output: queue,
    selected: selectEvents(config),
    omitDescription: config.omitDescription,
    now: Date.now,
  });
  return {
    audit,
    lostEvents: () => queue.droppedLines,
    close: async () => {
      await queue.flush();
      await file.end();
    },
  };
}

/** Stands where events are missing, so that a gap shows. It has no number of the reference. */
function lossLine(count: number, omitDescription: boolean): string {
  const description = 'The file could not be written; this many events are missing here.';
  return JSON.stringify({
    id: 0,
    timestamp: new Date().toISOString(),
    name: 'audit events lost',
    ...(!omitDescription && { description }),
    count,
  });
}
