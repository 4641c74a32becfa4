import { spawn, type ChildProcess, type StdioOptions } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { freePort } from '@edgesync/test-kit';

/** The output of the compiler, unless `EDGESYNC_MAIN` names a build. */
const MAIN = process.env['EDGESYNC_MAIN'] ?? join(import.meta.dirname, '../../dist/main.js');
/** Without the search path of the package manager's scripts, which makes up for undeclared dependencies. */
export const ENVIRONMENT: NodeJS.ProcessEnv = { ...process.env, NODE_PATH: '' };
const STARTED = /^https?:\/\/\S+\/\S+ {2}/m;

/** A directory with a configuration of one database `db`, for servers in processes of their own. */
export class EdgeSandbox implements Disposable {
  readonly directory = mkdtempSync(join(tmpdir(), 'edgesync-e2e-'));
  readonly bundle = join(this.directory, 'db.cblite2');
  readonly configFile = join(this.directory, 'config.json5');

  private constructor(readonly port: number) {}

  /** @param database further keys of the database; @param top further keys of the configuration */
  static async create(database: Record<string, unknown> = {}, top: Record<string, unknown> = {}): Promise<EdgeSandbox> {
    const sandbox = new EdgeSandbox(await freePort());
    const config = {
      databases: {
        db: { path: sandbox.bundle, create: true, enable_client_writes: true, enable_client_sync: true, ...database },
      },
      interface: `127.0.0.1:${sandbox.port}`,
      enable_anonymous_users: true,
      logging: { domains: { REST: 'error' } },
      ...top,
    };
    writeFileSync(sandbox.configFile, JSON.stringify(config));
    return sandbox;
  }

  get url(): string {
    return `http://127.0.0.1:${this.port}`;
  }

  /** Starts the built server and resolves when it serves. */
  async start(...flags: string[]): Promise<EdgeProcess> {
    const server = this.spawn(this.configFile, ...flags);
    await server.started();
    return server;
  }

  spawn(...args: string[]): EdgeProcess {
    return this.spawnWith(['pipe', 'pipe', 'pipe'], args);
  }

  /** Starts it with a channel between the two processes. */
  spawnWithChannel(...args: string[]): EdgeProcess {
    return this.spawnWith(['pipe', 'pipe', 'pipe', 'ipc'], args);
  }

  private spawnWith(stdio: StdioOptions, args: readonly string[]): EdgeProcess {
    return new EdgeProcess(spawn(process.execPath, [MAIN, ...args], { cwd: this.directory, env: ENVIRONMENT, stdio }));
  }

  [Symbol.dispose](): void {
    rmSync(this.directory, { recursive: true, force: true });
  }
}

/** The built server as a child process. */
export class EdgeProcess implements AsyncDisposable {
  stdout = '';
  stderr = '';
  private readonly exited: Promise<void>;

  constructor(readonly child: ChildProcess) {
    child.stdout!.setEncoding('utf8').on('data', (text: string) => (this.stdout += text));
    child.stderr!.setEncoding('utf8').on('data', (text: string) => (this.stderr += text));
    this.exited = once(child, 'close').then(() => undefined);
  }

  /** Resolves when the server has said what it serves. */
  async started(): Promise<void> {
    while (!STARTED.test(this.stdout)) {
      const ended = await Promise.race([
        once(this.child.stdout!, 'data').then(() => false),
        this.exited.then(() => true),
      ]);
      if (ended) throw new Error(`the server ended with code ${this.child.exitCode}: ${this.stderr}`);
    }
  }

  /** Sends a signal and resolves with the exit code, null if the signal itself ended the process. */
  async end(signal: NodeJS.Signals): Promise<number | null> {
    this.child.kill(signal);
    return this.exitCode();
  }

  async exitCode(): Promise<number | null> {
    await this.exited;
    return this.child.exitCode;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    if (this.child.exitCode === null && this.child.signalCode === null) await this.end('SIGKILL');
  }
}
