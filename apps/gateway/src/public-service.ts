import 'reflect-metadata';
import type { Server } from 'node:https';
import type { DynamicModule } from '@nestjs/common';
import type { NestFastifyApplication } from '@nestjs/platform-fastify';
import { watchUsers, type Authenticator } from '@edgesync/auth';
import type { Users } from '@edgesync/config';
import type { MachineChecks } from '@edgesync/config-files';
import { AUTHENTICATOR, VERSION, type CoreParts, type Launch, type Service } from '@edgesync/platform';
import { checkServerTls, openServerTls } from '@edgesync/tls';
import { firstOfEach } from './http/first-of-each.js';
import { createHttpAdapter } from './http/http-adapter.js';

/** Parts made before there is an application with a public port. */
export interface ServerParts extends CoreParts {
  readonly users?: Users;
  readonly authenticator?: Authenticator;
}

/** The application behind the public port. */
export interface ServerApplication {
  readonly module: (launch: Launch) => DynamicModule | Promise<DynamicModule>;
  /** Called before the port is open, to take upgrades. */
  readonly mount: (app: NestFastifyApplication) => void;
  /** Default: {@link PUBLIC_CHECKS}. */
  readonly checks?: MachineChecks;
  /** Asks for the passphrase of an encrypted private key. */
  readonly askPassphrase?: (question: string) => Promise<string>;
}

/** Requests that are still under way after this many milliseconds are cut off when the server stops. */
const GRACE_MS = 3_500;

/** The machine, as a process with the public port uses it. */
export const PUBLIC_CHECKS: MachineChecks = { users: true, inspectHttps: checkServerTls };

/** A process with the public port. It takes changed users and certificates while it runs. */
export function publicService({ module, mount, checks = PUBLIC_CHECKS, askPassphrase }: ServerApplication): Service {
  return {
    checks,
    async prepare(launch) {
      const { config, loggers, audit, metrics, lifetime } = launch;
      const tls = config.https && (await openServerTls(config.https, askPassphrase));
      const log = loggers.domain('Listener');
      if (tls) metrics.watchCertificates(() => tls.expiries());
      let started = false;
      lifetime.defer(() => {
        if (started) audit.serverStopped();
      });
      return {
        module: await module(launch),
        adapter: createHttpAdapter({
          https: tls?.options,
          onPlainHttp: firstOfEach((address) =>
            log.warning(`${address} speaks plain HTTP to this port, which takes HTTPS only`),
          ),
        }),
        listen: config.listen,
        mount(app) {
          mount(app);
          const server = app.getHttpServer() as unknown as Server;
          const authenticator = app.get<Authenticator>(AUTHENTICATOR);
          const watches = [watchUsers(config, authenticator, loggers.domain('Default')), tls?.attend(server, log)];
          lifetime.defer(() => watches.forEach((watch) => watch?.stop()));
        },
        initialized() {
          const { host, port } = config.listen;
          const databases = [...config.databases.keys()];
          audit.serverStarted({ version: VERSION, interface: `${host}:${port}`, databases });
          started = true;
        },
        close: closeGracefully,
        opened: (_, url) => [
          ...(tls ? [`TLS certificate subject: ${tls.subject}`] : []),
          `edgesync ${VERSION}, compatible with Couchbase Edge Server 1.1`,
          ...[...config.databases.values()].map(({ name, path }) => `${url}/${name}  ${path}`),
        ],
      };
    },
  };
}

async function closeGracefully(app: NestFastifyApplication): Promise<void> {
  const server = app.getHttpServer() as Server;
  const cutOff = setTimeout(() => server.closeAllConnections(), GRACE_MS);
  try {
    await app.close();
  } finally {
    clearTimeout(cutOff);
  }
}
