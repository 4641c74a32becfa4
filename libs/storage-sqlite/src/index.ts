export type { DatabaseUsage } from './disk-state.js';
export { inspectDatabase } from './inspect-database.js';
export { backupDatabase, type BackupOptions, type BackupSummary } from './backup/backup-database.js';
export type { CommitObserver } from './group-commit.js';
export type { DatabaseOptions, ImportObserver } from './open-database.js';
export { removeDatabase } from './remove-database.js';
export { resetUuid } from './reset-uuid.js';
export { SqliteDatabase } from './sqlite-database.js';
export { SqliteStorage } from './sqlite-storage.js';
export { exportBundle, type ExportOptions, type ExportReport } from './export/export-bundle.js';
export {
  importBundle,
  type ImportOptions,
  type ImportProblem,
  type ImportProgress,
  type ImportReport,
} from './import/import-bundle.js';
export { importCouchbaseLite, needsCouchbaseLiteImport } from './import/import-couchbase-lite.js';
