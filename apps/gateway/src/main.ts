import { runSplitService } from '@edgesync/split';
import { gatewayService } from './service/gateway-service.js';

process.exitCode = await runSplitService('gateway', gatewayService);
