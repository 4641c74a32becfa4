import { Module, type DynamicModule, type ModuleMetadata } from '@nestjs/common';
import { APP_FILTER } from '@nestjs/core';
import { AccessPolicy } from '@edgesync/access';
import { accessPolicyOf, EDGE_CONFIG } from '@edgesync/platform';
import { BulkDocsController } from './bulk/bulk-docs.controller.js';
import { BulkWriter } from './bulk/bulk-writer.service.js';
import { DocumentController } from './documents/document.controller.js';
import { DocumentReader } from './documents/document-reader.service.js';
import { DocumentWriter } from './documents/document-writer.service.js';
import { ChangesController } from './changes/changes.controller.js';
import { FeedResponses } from './changes/feed-responses.service.js';
import { ErrorFilter } from './http/error.filter.js';
import { RequestAudit } from './http/request-audit.js';
import { RequestPipeline } from './http/request-pipeline.js';
import { CollectionTags } from './keyspaces/collection-tags.js';
import { KeyspaceController } from './keyspaces/keyspace.controller.js';
import { Keyspaces } from './keyspaces/keyspaces.js';
import { AllDocsController } from './listing/all-docs.controller.js';
import { OperationsController } from './operations/operations.controller.js';
import { OpenApiController } from './openapi/openapi.controller.js';
import { DOCUMENTED_CONTROLLERS, OpenApi } from './openapi/openapi.service.js';
import { PropertyController } from './properties/property.controller.js';
import { PropertyEditor } from './properties/property-editor.service.js';
import { IndexTasks } from './queries/index-tasks.service.js';
import { LiveQueries } from './queries/live-queries.service.js';
import { NamedQueries } from './queries/named-queries.service.js';
import { QueryController } from './queries/query.controller.js';
import { QueryRuns } from './queries/query-runs.service.js';
import { StatementRights } from './queries/statement-rights.service.js';
import { ReplicationsController } from './replications/replications.controller.js';
import { ServerController } from './server/server.controller.js';
import { SyncPathController } from './sync/sync-path.controller.js';

/** Controllers of the API; the manual describes all of them. */
export const CONTROLLERS = [
  ServerController,
  OperationsController,
  ReplicationsController,
  KeyspaceController,
  AllDocsController,
  ChangesController,
  BulkDocsController,
  DocumentController,
  PropertyController,
  QueryController,
  SyncPathController,
  OpenApiController,
];

export interface GatewayModuleOptions {
  /** Modules that export `STORAGE`, `EDGE_CONFIG`, `AUTHENTICATOR`, `LOGGERS`, `AUDIT_LOG`, `METRICS` and `ACTIVE_TASKS`, and `REPLICATION_CONTROL` if there is one, unless a global one does. */
  readonly imports?: ModuleMetadata['imports'];
}

/** The public REST API. It asks for the storage port and does not know what serves it. */
@Module({})
export class GatewayModule {
  static register({ imports = [] }: GatewayModuleOptions = {}): DynamicModule {
    return {
      module: GatewayModule,
      imports,
      controllers: CONTROLLERS,
      providers: [
        BulkWriter,
        CollectionTags,
        DocumentReader,
        DocumentWriter,
        ErrorFilter,
        FeedResponses,
        IndexTasks,
        Keyspaces,
        LiveQueries,
        NamedQueries,
        OpenApi,
        PropertyEditor,
        QueryRuns,
        RequestAudit,
        RequestPipeline,
        StatementRights,
        { provide: AccessPolicy, useFactory: accessPolicyOf, inject: [EDGE_CONFIG] },
        { provide: APP_FILTER, useExisting: ErrorFilter },
        { provide: DOCUMENTED_CONTROLLERS, useValue: CONTROLLERS },
      ],
    };
  }
}
