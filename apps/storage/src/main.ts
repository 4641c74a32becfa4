import { readServiceSettings, runUntilSignal } from '@edgesync/platform';
import { startStorage } from './service/start-storage.js';

process.exitCode = await runUntilSignal(async (signal) =>
  startStorage(readServiceSettings('storage', process.env), signal),
);
