import { runSplitService } from '@edgesync/split';
import { workerService } from './split/worker-service.js';

process.exitCode = await runSplitService('replication', workerService);
