import { type DynamicModule, Global, Module } from '@nestjs/common';
import { GatewayModule } from '@edgesync/gateway';
import { AUTHENTICATOR, EDGE_CONFIG, LOGGERS, type Authenticator, type Loggers } from '@edgesync/platform';
import { StorageModule } from '@edgesync/storage';
import type { EdgeConfig } from '@edgesync/config';

/** What the launcher makes before there is an application. */
export interface EdgeParts {
  readonly config: EdgeConfig;
  readonly authenticator: Authenticator;
  readonly loggers: Loggers;
}

@Global()
@Module({})
class PartsModule {
  static register({ config, authenticator, loggers }: EdgeParts): DynamicModule {
    return {
      module: PartsModule,
      providers: [
        { provide: EDGE_CONFIG, useValue: config },
        { provide: AUTHENTICATOR, useValue: authenticator },
        { provide: LOGGERS, useValue: loggers },
      ],
      exports: [EDGE_CONFIG, AUTHENTICATOR, LOGGERS],
    };
  }
}

/** All parts of the server in one process: ports are bound to the engines directly, and NATS is not loaded. */
@Module({})
export class EdgeModule {
  static register(parts: EdgeParts): DynamicModule {
    return {
      module: EdgeModule,
      imports: [PartsModule.register(parts), StorageModule.register(), GatewayModule.register()],
    };
  }
}
