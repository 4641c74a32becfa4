import { runSplitService } from '@edgesync/split';
import { gatewayService } from './split/gateway-service.js';

process.exitCode = await runSplitService('gateway', gatewayService);
