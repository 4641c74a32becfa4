export { backupDatabase, type BackupOptions, type BackupSummary } from './backup/backup-database.js';
export type { CommitObserver } from './group-commit.js';
export type { DatabaseOptions } from './open-database.js';
export { resetUuid } from './reset-uuid.js';
export { SqliteDatabase } from './sqlite-database.js';
export { SqliteStorage } from './sqlite-storage.js';
