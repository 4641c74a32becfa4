import { abortOnSignal, runUntilSignal } from '@edgesync/platform';
import { PasswordPrompt } from './cli/ask-password.js';
import { main } from './cli/main.js';

const prompt = new PasswordPrompt(process.stdin, process.stderr);

// Modules that only one command needs are loaded by it.
const exitCode = await main(
  process.argv.slice(2),
  {
    out: (text) => process.stdout.write(`${text}\n`),
    err: (text) => process.stderr.write(`${text}\n`),
    askPassword: (question) => prompt.ask(question),
  },
  {
    serve: async (configFile, options) => {
      const { startServer } = await import('./start-server.js');
      const askPassphrase = (question: string): Promise<string> => prompt.ask(question);
      const announce = (line: string): void => console.log(line);
      return runUntilSignal(() => startServer(configFile, { ...options, announce, askPassphrase }));
    },
    resetUuid: async (path) => {
      const { resetUuid } = await import('@edgesync/storage-sqlite');
      return resetUuid(path);
    },
    backup: async (path, target) => {
      const { backupDatabase } = await import('@edgesync/storage-sqlite');
      return backupDatabase(path, target, { signal: abortOnSignal() });
    },
  },
);
process.exitCode = exitCode;
