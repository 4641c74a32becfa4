import type { AddressInfo } from 'node:net';
import type { DynamicModule } from '@nestjs/common';
import { type AbstractHttpAdapter, NestFactory } from '@nestjs/core';
import type { NestFastifyApplication } from '@nestjs/platform-fastify';
import type { ListenAddress, EdgeConfig } from '@edgesync/config';
import { loadSettings, type MachineChecks, type Settings } from '@edgesync/config-files';
import { NestLogger } from '../nest-logger.js';
import { openObservers, type Observers } from './open-observers.js';

/** Parts of a process before there is an application. */
export interface Launch extends Settings, Omit<Observers, 'close'> {
  /** Ends what is put on it, in reverse order, when the process stops or does not start. */
  readonly lifetime: AsyncDisposableStack;
  /** Aborts when the process is asked to end. */
  readonly signal: AbortSignal;
}

/** The application of a process. */
export interface Application {
  readonly module: DynamicModule;
  readonly adapter: AbstractHttpAdapter;
  readonly listen: ListenAddress;
  /** Called before the modules are initialized, for what Nest has no place for, such as upgrades. */
  readonly mount?: (app: NestFastifyApplication) => void | Promise<void>;
  /** Called once the modules are initialized, right before the port opens. */
  readonly initialized?: () => void;
  /** Closes the application in its own way. */
  readonly close?: (app: NestFastifyApplication) => Promise<void>;
  /** Called once the port is open. @returns lines that say what is served where */
  readonly opened?: (app: NestFastifyApplication, url: string) => readonly string[] | Promise<readonly string[]>;
}

/** One kind of process. */
export interface Service {
  /** Files and directories of the configuration that this process needs. */
  readonly checks: MachineChecks;
  readonly prepare: (launch: Launch) => Application | Promise<Application>;
}

export interface LaunchOptions {
  /** All log domains at `info` at least. */
  readonly verbose?: boolean;
  readonly color?: boolean;
  /** The port, instead of the configured one. */
  readonly port?: number;
  /** Receives the lines that say what is served. */
  readonly announce?: (line: string) => void;
  /** Ends the wait for what is not there yet. */
  readonly signal?: AbortSignal;
}

export interface RunningServer {
  /** Where the server listens: `http://host:port`, or `https://` with TLS. */
  readonly url: string;
  /** Finishes what is in flight and resolves when all is durable and closed. */
  close(): Promise<void>;
}

/**
 * Starts a process: configuration, logs, application, port.
 * @throws ConfigError, EdgeError `storage.*`, or the error of listening or of NATS refusing the credentials; nothing stays open
 */
export async function startService(
  { checks, prepare }: Service,
  configFile: string,
  options: LaunchOptions = {},
): Promise<RunningServer> {
  await using lifetime = new AsyncDisposableStack();
  const settings = loadSettings(configFile, checks);
  const config = withPort(settings.config, options.port);
  const observers = lifetime.adopt(await openObservers(config.logging, options), (opened) => opened.close());
  const log = observers.loggers.domain('Default');
  for (const warning of settings.warnings) log.warning(warning);
  const signal = options.signal ?? new AbortController().signal;
  const application = await prepare({ ...settings, ...observers, config, lifetime, signal });
  const app = await NestFactory.create<NestFastifyApplication>(application.module, application.adapter, {
    logger: new NestLogger(observers.loggers.domain('Listener')),
    abortOnError: false,
  });
  lifetime.defer(() => application.close?.(app) ?? app.close());
  await application.mount?.(app);
  await app.init();
  application.initialized?.();
  await listen(app, application.listen);
  const url = urlOf(app);
  const lines = (await application.opened?.(app, url)) ?? [];
  for (const line of lines) options.announce?.(line);
  const running = lifetime.move();
  return { url, close: () => running.disposeAsync() };
}

const withPort = (config: EdgeConfig, port: number | undefined): EdgeConfig =>
  port === undefined ? config : { ...config, listen: { ...config.listen, port } };

/** Opens the port. Not through Nest, which would log a failure that the caller reports. */
async function listen(app: NestFastifyApplication, { host, port }: ListenAddress): Promise<void> {
  try {
    // Of the name Fastify would make two servers, and the second one would take neither upgrades nor new certificates.
    const address = host === 'localhost' ? '127.0.0.1' : host;
    await app.getHttpAdapter().getInstance().listen({ port, host: address });
  } catch (error) {
    throw listenError(error);
  }
}

function listenError(error: unknown): unknown {
  const { code, address, port } = error as NodeJS.ErrnoException & { address?: string; port?: number };
  if (code === 'EADDRINUSE') return new Error(`port ${port} of ${address} is in use by another process`);
  if (code === 'EACCES') return new Error(`port ${port} needs more rights than this process has`);
  if (code === 'EADDRNOTAVAIL') return new Error(`${address} is not an address of this machine`);
  return error;
}

function urlOf(app: NestFastifyApplication): string {
  const server = app.getHttpServer();
  const { address, family, port } = server.address() as AddressInfo;
  const scheme = 'setSecureContext' in server ? 'https' : 'http';
  return `${scheme}://${family === 'IPv6' ? `[${address}]` : address}:${port}`;
}
