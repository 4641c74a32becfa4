import { readServiceSettings, runUntilSignal } from '@edgesync/platform';
import { startGatewayService } from './service/start-gateway-service.js';

process.exitCode = await runUntilSignal(async (signal) =>
  startGatewayService(readServiceSettings('gateway', process.env), signal),
);
