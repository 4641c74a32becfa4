import { runSplitService } from '@edgesync/split';
import { storageService } from './split/storage-service.js';

process.exitCode = await runSplitService('storage', storageService);
