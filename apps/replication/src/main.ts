import { runSplitService } from '@edgesync/split';
import { workerService } from './service/worker-service.js';

process.exitCode = await runSplitService('replication', workerService);
