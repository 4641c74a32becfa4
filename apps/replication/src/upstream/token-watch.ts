import type { StartedUpstream } from './upstream-runner.service.js';

/**
 * Looks at a token file whenever it changed. A new token makes a running replication connect anew, and starts one that
 * had stopped, be it because the token before was refused. A file without a token is an intermediate state.
 */
export class TokenWatch {
  private starting: Promise<void> | undefined;

  constructor(
    private started: StartedUpstream,
    private readonly startAnew: () => Promise<StartedUpstream>,
    private readonly onFault: (error: unknown) => void,
  ) {}

  async look(): Promise<void> {
    await this.starting;
    const { access, upstream } = this.started;
    const token = await access.readToken().catch(() => undefined);
    if (token === undefined || token === access.token) return;
    if (upstream.activity !== 'Stopped') upstream.reconnect();
    else if (upstream.failure)
      this.starting ??= this.startAnew()
        .then((started) => void (this.started = started), this.onFault)
        .finally(() => (this.starting = undefined));
  }
}
