export { ConfigError } from './config-error.js';
export { loadConfig, loadUsers, type Loaded } from './load-config.js';
export { readBytes, readText } from './read-text.js';
export { watchFiles, type FileWatch, type WatchOptions } from './watch-files.js';
