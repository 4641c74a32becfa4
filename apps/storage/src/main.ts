import { runSplitService } from '@edgesync/split';
import { storageService } from './service/storage-service.js';

process.exitCode = await runSplitService('storage', storageService);
