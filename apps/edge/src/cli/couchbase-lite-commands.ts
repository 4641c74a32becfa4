import { EdgeError, isEdgeError } from '@edgesync/errors';
import type { ExportOptions, ExportReport, ImportOptions, ImportProblem, ImportReport } from '@edgesync/storage-sqlite';
import type { ExportCommand, ImportCommand } from './arguments.js';
import { count, megabytes } from './amounts.js';
import { DONE, DONE_WITH_LOSSES } from './exit-codes.js';
import type { CommandLineIo } from './main.js';

export type ImportAction = (source: string, target: string, options: ImportOptions) => Promise<ImportReport>;
export type ExportAction = (path: string, target: string, options: ExportOptions) => Promise<ExportReport>;

/** `--import`. @returns the exit code */
export async function importCommand(command: ImportCommand, run: ImportAction, io: CommandLineIo): Promise<number> {
  const { source, target, dryRun, skipDamaged } = command;
  const startedAt = Date.now();
  const signal = io.ending();
  let report: ImportReport;
  try {
    report = await run(source, target, {
      dryRun,
      skipDamaged,
      signal,
      onProgress: ({ rows, totalRows, bytes }) => {
        const left = Math.ceil(((Date.now() - startedAt) / 1000 / Math.max(rows, 1)) * (totalRows - rows));
        io.progress.show(`${rows} of ${totalRows} documents, ${megabytes(bytes)}, about ${left} s left`);
      },
    });
  } catch (error) {
    if (isEdgeError(error, 'storage.corrupt') && !skipDamaged)
      throw new EdgeError(error.code, `${error.message}. Add --skip-damaged to leave damaged documents out.`, {
        cause: error,
      });
    if (signal.aborted && error === signal.reason && !dryRun)
      throw new Error(`${(error as Error).message}; the same command goes on with the import`, { cause: error });
    throw error;
  } finally {
    io.progress.clear();
  }
  io.out(
    `${dryRun ? `${target} would have` : `${target}:`} ${count(report.documents, 'document')}, ` +
      `${count(report.tombstones, 'tombstone')}, ${count(report.conflicts, 'losing revision')}, ` +
      `${count(report.blobs, 'blob')} (${megabytes(report.blobBytes)}), ${count(report.checkpoints, 'checkpoint')} of apps`,
  );
  const losses = [
    ...named(report.skippedCount, 'document', 'skipped', report.skipped),
    ...named(report.lostBlobCount, 'blob', 'lost', report.lostBlobs),
    ...named(report.lostConflicts, 'conflicting revision', 'left out', report.lostConflictsOf),
  ];
  for (const line of losses) io.out(line);
  if (report.expired > 0) io.out(`${count(report.expired, 'expired document')} left out`);
  if (report.indexes.length > 0)
    io.out(`${count(report.indexes.length, 'index', 'indexes')} not imported: ${report.indexes.join(', ')}`);
  return losses.length > 0 ? DONE_WITH_LOSSES : DONE;
}

/** `--export-cblite2`. @returns the exit code */
export async function exportCommand(command: ExportCommand, run: ExportAction, io: CommandLineIo): Promise<number> {
  const { kind: _, path, target, ...options } = command;
  let report: ExportReport;
  try {
    report = await run(path, target, {
      ...options,
      signal: io.ending(),
      onProgress: ({ documents, total }) => io.progress.show(`${documents} of ${total} documents`),
    });
  } finally {
    io.progress.clear();
  }
  io.out(
    `${target}: ${count(report.documents, 'document')} and ${count(report.blobs, 'blob')} for Couchbase Lite ` +
      `${options.format === 3 ? '3.1 and later' : '4'}`,
  );
  const list = (ids: readonly string[], total = ids.length): string[] => [
    ...ids.map((id) => `  ${id}`),
    ...(total > ids.length ? ['  …'] : []),
  ];
  if (report.conflicts > 0)
    for (const line of [
      `${count(report.conflicts, 'losing revision')} of conflicts left out:`,
      ...list(report.conflicting),
    ])
      io.out(line);
  if (report.unsavable.length > 0)
    for (const line of [
      `${count(report.unsavable.length, 'document')} that apps can read and not save, because of a property without a name:`,
      ...list(report.unsavable.slice(0, 100), report.unsavable.length),
    ])
      io.out(line);
  if (report.tombstones > 0) io.out(`${count(report.tombstones, 'tombstone')} left out`);
  if (report.expired > 0) io.out(`${count(report.expired, 'expired document')} left out`);
  return report.conflicts > 0 || report.unsavable.length > 0 ? DONE_WITH_LOSSES : DONE;
}

/** The number of problems and, below it, each that the report names. */
function named(total: number, unit: string, outcome: string, problems: readonly ImportProblem[]): string[] {
  if (total === 0) return [];
  const lines = problems.map(({ collection, id, reason }) => `  ${collection}/${id}: ${reason}`);
  const rest = problems.length >= NAMED ? ['  … (only the first are named)'] : [];
  return [`${count(total, unit)} ${outcome}:`, ...lines, ...rest];
}

/** Problems that a report names at most. */
const NAMED = 100;
