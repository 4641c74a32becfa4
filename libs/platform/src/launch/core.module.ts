import { type DynamicModule, type FactoryProvider, Global, Module } from '@nestjs/common';
import type { AuditLog } from '@edgesync/audit';
import { createAuthenticator, type Authenticator } from '@edgesync/auth';
import type { EdgeConfig, Users } from '@edgesync/config';
import type { Loggers } from '@edgesync/logging';
import type { Metrics } from '@edgesync/metrics';
import { recordAuthentications } from '../record-authentications.js';
import { ActiveTasks } from '../tasks/active-tasks.js';
import { ACTIVE_TASKS, AUDIT_LOG, AUTHENTICATOR, EDGE_CONFIG, LOGGERS, METRICS } from '../tokens.js';

export interface CoreParts {
  readonly config: EdgeConfig;
  readonly loggers: Loggers;
  readonly audit: AuditLog;
  readonly metrics: Metrics;
}

export interface CoreOptions {
  /** Admits requests. Absent, as is the authenticator: the process authenticates nobody. */
  readonly users?: Users;
  readonly authenticator?: Authenticator;
  /** Number of the first task of this process. */
  readonly tasksFrom?: number;
}

/** Providers for every part of a process, whatever the process is. */
@Global()
@Module({})
export class CoreModule {
  static register({ config, loggers, audit, metrics }: CoreParts, options: CoreOptions = {}): DynamicModule {
    const { users, authenticator, tasksFrom } = options;
    const providers: FactoryProvider[] = [
      { provide: EDGE_CONFIG, useFactory: () => config },
      { provide: LOGGERS, useFactory: () => loggers },
      { provide: AUDIT_LOG, useFactory: () => audit },
      { provide: METRICS, useFactory: () => metrics },
      { provide: ACTIVE_TASKS, useFactory: () => new ActiveTasks(Date.now, tasksFrom) },
    ];
    if (authenticator) providers.push({ provide: AUTHENTICATOR, useFactory: () => authenticator });
    else if (users)
      providers.push({
        provide: AUTHENTICATOR,
        useFactory: () => createAuthenticator(config, users, recordAuthentications(audit, metrics)),
      });
    return { module: CoreModule, providers, exports: providers.map(({ provide }) => provide) };
  }
}
