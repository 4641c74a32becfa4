import { abortOnSignal, runUntilSignal } from '@edgesync/platform';
import { askPassword } from './cli/ask-password.js';
import { main } from './cli/main.js';
import { ProgressLine } from './cli/progress-line.js';

const ask = (question: string, again?: string): Promise<string> =>
  askPassword(process.stdin, process.stderr, question, again);

// Modules that only one command needs are loaded by it.
process.exitCode = await main(
  process.argv.slice(2),
  {
    out: (text) => process.stdout.write(`${text}\n`),
    err: (text) => process.stderr.write(`${text}\n`),
    askPassword: ask,
    progress: new ProgressLine(process.stderr),
    ending: abortOnSignal,
  },
  {
    serve: async (configFile, options) => {
      const { startServer } = await import('./start-server.js');
      const announce = (line: string): void => console.log(line);
      return runUntilSignal((signal) =>
        startServer(configFile, { ...options, announce, signal, askPassphrase: (question) => ask(question) }),
      );
    },
    checkConfig: async (configFile, io) => {
      const { checkConfig } = await import('./cli/checks.js');
      const { SERVER_CHECKS } = await import('./start-server.js');
      checkConfig(configFile, SERVER_CHECKS, io);
    },
    checkReady: async (...parameters) => {
      const { checkReady } = await import('./cli/checks.js');
      return checkReady(...parameters);
    },
    resetUuid: async (path) => {
      const { resetUuid } = await import('@edgesync/storage-sqlite');
      return resetUuid(path);
    },
    backup: async (path, target) => {
      const { backupDatabase } = await import('@edgesync/storage-sqlite');
      return backupDatabase(path, target, { signal: abortOnSignal() });
    },
    info: async (path) => {
      const { describeBundle } = await import('@edgesync/storage-sqlite');
      return describeBundle(path);
    },
    check: async (path) => {
      const { checkDatabase } = await import('@edgesync/storage-sqlite');
      return checkDatabase(path);
    },
    compact: async (path) => {
      const { compactDatabase } = await import('@edgesync/storage-sqlite');
      return compactDatabase(path);
    },
    importBundle: async (...parameters) => {
      const { importCouchbaseLite } = await import('@edgesync/storage-sqlite');
      return importCouchbaseLite(...parameters);
    },
    exportBundle: async (...parameters) => {
      const { exportBundle } = await import('@edgesync/storage-sqlite');
      return exportBundle(...parameters);
    },
  },
);
