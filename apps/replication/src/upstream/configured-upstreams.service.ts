import { Inject, Injectable, type OnApplicationBootstrap, type BeforeApplicationShutdown } from '@nestjs/common';
import type { EdgeConfig, ReplicationConfig } from '@edgesync/config';
import { EDGE_CONFIG, LOGGERS, watchFiles, type FileWatch, type Logger, type Loggers } from '@edgesync/platform';
import { TokenWatch } from './token-watch.js';
import { Upstreams } from './upstreams.service.js';

/** Starts the replications of the configuration file, and starts over those whose token was renewed (ref 9). */
@Injectable()
export class ConfiguredUpstreams implements OnApplicationBootstrap, BeforeApplicationShutdown {
  private readonly log: Logger;
  private readonly watches: FileWatch[] = [];

  constructor(
    @Inject(EDGE_CONFIG) private readonly config: EdgeConfig,
    @Inject(Upstreams) private readonly upstreams: Upstreams,
    @Inject(LOGGERS) loggers: Loggers,
  ) {
    this.log = loggers.domain('Sync');
  }

  async onApplicationBootstrap(): Promise<void> {
    for (const [index, definition] of this.config.replications.entries())
      try {
        await this.start(definition);
      } catch (error) {
        // A bad item is reported and not started; the server still runs (ref 3.6).
        this.log.error(
          `replications[${index}] is not started: ${error instanceof Error ? error.message : String(error)}`,
        );
      }
  }

  beforeApplicationShutdown(): void {
    for (const watch of this.watches) watch.stop();
  }

  private async start(definition: ReplicationConfig): Promise<void> {
    const started = await this.upstreams.startConfigured(definition);
    const { tokenFile } = started.access;
    if (tokenFile === undefined || !definition.auth?.reconnectOnTokenChange) return;
    const watch = new TokenWatch(
      started,
      () => this.upstreams.startConfigured(definition),
      (error) => this.log.error('a replication is not started with its new token', error),
    );
    this.watches.push(watchFiles([tokenFile], () => void watch.look()));
  }
}
