export { ConfigError } from './config-error.js';
export { loadSettings, loadUsers, namedBy, type Found, type MachineChecks, type Settings } from './load-settings.js';
export { readBytes } from './read-text.js';
export { watchFiles, type FileWatch, type WatchOptions } from './watch-files.js';
