import 'reflect-metadata';
import type { Server } from 'node:https';
import type { AddressInfo } from 'node:net';
import type { DynamicModule } from '@nestjs/common';
import { NestFactory } from '@nestjs/core';
import type { NestFastifyApplication } from '@nestjs/platform-fastify';
import type { EdgeConfig } from '@edgesync/config';
import {
  createAuthenticator,
  loadConfig,
  loadUsers,
  NestLogger,
  openObservers,
  openServerTls,
  recordAuthentications,
  VERSION,
  watchUsers,
  type AuditLog,
  type Authenticator,
  type Loggers,
  type Metrics,
} from '@edgesync/platform';
import { createHttpAdapter } from './http/http-adapter.js';

export interface ServerOptions {
  /** All log domains at `info` at least. */
  readonly verbose?: boolean;
  readonly color?: boolean;
  /** Receives the lines that say what is served. */
  readonly announce?: (line: string) => void;
  /** Asks for the passphrase of an encrypted private key. */
  readonly askPassphrase?: (question: string) => Promise<string>;
}

/** What is made before there is an application. */
export interface ServerParts {
  readonly config: EdgeConfig;
  readonly authenticator: Authenticator;
  readonly loggers: Loggers;
  readonly audit: AuditLog;
  readonly metrics: Metrics;
}

/** What is behind the public port. */
export interface ServerApplication {
  readonly module: (parts: ServerParts) => DynamicModule | Promise<DynamicModule>;
  /** Called before the port is open, for those who take upgrades. */
  readonly mount: (app: NestFastifyApplication) => void;
}

export interface RunningServer {
  /** Where the server listens: `http://host:port`, or `https://` with TLS. */
  readonly url: string;
  /** Finishes what is in flight and resolves when all is durable and closed. */
  close(): Promise<void>;
}

/** Requests that are still under way after this many milliseconds are cut off when the server stops. */
const GRACE_MS = 3_500;

/**
 * Starts a server with the public port (ref 3.9): configuration, users, certificates, logs, application, port. Users and
 * certificates are taken anew when their files change.
 * @throws ConfigError, EdgeError `storage.*`, or the error of listening
 */
export async function startPublicServer(
  configFile: string,
  { module, mount }: ServerApplication,
  options: ServerOptions = {},
): Promise<RunningServer> {
  const { value: config, warnings } = loadConfig(configFile);
  const users = loadUsers(config);
  const tls = config.https && (await openServerTls(config.https, options.askPassphrase));
  const observers = await openObservers(config.logging, options);
  const { loggers, audit, metrics } = observers;
  const log = loggers.domain('Default');
  for (const warning of [...warnings, ...users.warnings, ...(tls?.warnings ?? [])]) log.warning(warning);
  const authenticator = createAuthenticator(config, users.value, recordAuthentications(audit, metrics));
  const parts = { config, loggers, audit, metrics, authenticator };
  const listenerLog = loggers.domain('Listener');
  const app = await NestFactory.create<NestFastifyApplication>(
    await module(parts),
    createHttpAdapter({ https: tls?.options }),
    { logger: new NestLogger(listenerLog), abortOnError: false },
  );
  mount(app);
  const server = app.getHttpServer() as unknown as Server;
  const watches = [watchUsers(config, authenticator, log), tls?.attend(server, listenerLog)];
  const { host, port } = config.listen;
  let started = false;
  const close = async (): Promise<void> => {
    for (const watch of watches) watch?.stop();
    try {
      await closeGracefully(app);
    } finally {
      if (started) audit.serverStopped();
      await observers.close();
    }
  };
  try {
    await app.init();
    audit.serverStarted({ version: VERSION, interface: `${host}:${port}`, databases: [...config.databases.keys()] });
    started = true;
    await listen(app, host, port);
  } catch (error) {
    await close();
    throw listenError(error);
  }
  const url = urlOf(tls ? 'https' : 'http', server.address() as AddressInfo);
  if (tls) options.announce?.(`TLS certificate subject: ${tls.subject}`);
  options.announce?.(`edgesync ${VERSION}, compatible with Couchbase Edge Server 1.1`);
  for (const { name, path } of config.databases.values()) options.announce?.(`${url}/${name}  ${path}`);
  return { url, close };
}

/** Opens the port. Not through Nest, which would log a failure that the caller tells. */
async function listen(app: NestFastifyApplication, host: string, port: number): Promise<void> {
  // Of the name Fastify would make two servers, and the second one would take neither upgrades nor new certificates.
  await app
    .getHttpAdapter()
    .getInstance()
    .listen({ port, host: host === 'localhost' ? '127.0.0.1' : host });
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

function listenError(error: unknown): unknown {
  const { code, address, port } = error as NodeJS.ErrnoException & { address?: string; port?: number };
  if (code === 'EADDRINUSE')
    return new Error(`port ${port} of ${address} is in use by another process`, { cause: error });
  if (code === 'EACCES') return new Error(`port ${port} needs more rights than this process has`, { cause: error });
  if (code === 'EADDRNOTAVAIL') return new Error(`${address} is not an address of this machine`, { cause: error });
  return error;
}

function urlOf(scheme: 'http' | 'https', { address, family, port }: AddressInfo): string {
  return `${scheme}://${family === 'IPv6' ? `[${address}]` : address}:${port}`;
}
