import { type DynamicModule, Module } from '@nestjs/common';
import { GatewayModule, type ServerParts } from '@edgesync/gateway';
import { CoreModule } from '@edgesync/platform';
import { ReplicationModule } from '@edgesync/replication';
import { StorageModule } from '@edgesync/storage';

/** All parts of the server in one process: ports are bound to the engines directly, and NATS is not loaded. */
@Module({})
export class EdgeModule {
  static register(parts: ServerParts): DynamicModule {
    const replication = ReplicationModule.register();
    return {
      module: EdgeModule,
      imports: [
        CoreModule.register(parts, parts),
        StorageModule.register(),
        GatewayModule.register({ imports: [replication] }),
        replication,
      ],
    };
  }
}
