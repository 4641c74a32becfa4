import { Controller, Get, Header, HttpCode, Inject, ServiceUnavailableException } from '@nestjs/common';
import type { Metrics } from '@edgesync/metrics';
import { METRICS } from '@edgesync/platform';

/** Whether a service can do its work now. */
export abstract class ServiceReadiness {
  abstract check(): boolean | Promise<boolean>;
}

/**
 * Endpoints for monitoring on a service without a public port. The port is for the internal network: no credentials.
 */
@Controller()
export class InternalController {
  constructor(
    @Inject(METRICS) private readonly metrics: Metrics,
    @Inject(ServiceReadiness) private readonly readiness: ServiceReadiness,
  ) {}

  @Get('_health')
  health(): { status: string } {
    return { status: 'ok' };
  }

  @Get('_ready')
  @HttpCode(200)
  async ready(): Promise<{ status: string }> {
    if (!(await this.readiness.check())) throw new ServiceUnavailableException('not ready');
    return { status: 'ok' };
  }

  @Get('_metrics')
  @Header('content-type', 'text/plain; version=0.0.4; charset=utf-8')
  text(): string {
    return this.metrics.render();
  }
}
