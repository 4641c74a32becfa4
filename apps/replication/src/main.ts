import { readServiceSettings, runUntilSignal } from '@edgesync/platform';
import { startReplication } from './service/start-replication.js';

process.exitCode = await runUntilSignal(async (signal) =>
  startReplication(readServiceSettings('replication', process.env), signal),
);
