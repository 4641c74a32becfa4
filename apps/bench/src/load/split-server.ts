import { spawn, type ChildProcess } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { freePort, readComposeFile, startNatsServer, type ComposeFile, type NatsServer } from '@edgesync/test-kit';
import { cpuSeconds } from './usage.js';

const BUNDLE = join(import.meta.dirname, '../../../edge/bundle');
const START_MS = 30_000;

type Role = 'storage' | 'replication' | 'gateway';

/** One built service of a split deployment as a process. */
export interface ServiceProcess {
  readonly role: Role;
  readonly pid: number;
}

/**
 * The built services of a split deployment and a NATS server, each a process of its own, on a fresh database `db`. Node and
 * NATS run with the settings of the compose file.
 */
export class SplitServer implements AsyncDisposable {
  private readonly children = new Map<ChildProcess, ServiceProcess>();

  private constructor(
    private readonly compose: ComposeFile,
    private readonly nats: NatsServer,
    private readonly monitorPort: number,
    /** The public port, if there is a gateway. */
    readonly port: number,
    private readonly directory: string,
  ) {}

  /** @param roles services to start, in this order */
  static async start(roles: readonly Role[] = ['storage', 'replication', 'gateway']): Promise<SplitServer> {
    const monitorPort = await freePort();
    const compose = readComposeFile();
    const { environment = {} } = compose.services['nats']!;
    const nats = await startNatsServer({ config: `http: "127.0.0.1:${monitorPort}"`, environment });
    const directory = mkdtempSync(join(tmpdir(), 'edgesync-bench-'));
    const server = new SplitServer(compose, nats, monitorPort, await freePort(), directory);
    server.configure();
    try {
      for (const role of roles) await server.add(role);
    } catch (error) {
      await server[Symbol.asyncDispose]();
      throw error;
    }
    return server;
  }

  get natsUrl(): string {
    return this.nats.url;
  }

  get natsPid(): number {
    return this.nats.pid;
  }

  /** The first service of its kind. */
  service(role: Role): ServiceProcess {
    return [...this.children.values()].find((service) => service.role === role)!;
  }

  /** Starts one more service and resolves when it is ready. */
  async add(role: Role): Promise<ServiceProcess> {
    const internal = await freePort();
    const flags = this.compose.services[role]!.entrypoint!.filter((parameter) => parameter.startsWith('--'));
    const child = spawn(process.execPath, [...flags, join(BUNDLE, `${role}.js`)], {
      cwd: this.directory,
      env: {
        PATH: process.env['PATH'],
        EDGESYNC_CONFIG: join(this.directory, 'config.json'),
        EDGESYNC_NATS_URL: this.nats.url,
        EDGESYNC_LISTEN: `127.0.0.1:${internal}`,
        EDGESYNC_HANDSHAKE_SECRET_FILE: join(this.directory, 'handshake'),
      },
      stdio: ['ignore', 'ignore', 'inherit'],
    });
    const service = { role, pid: child.pid! };
    this.children.set(child, service);
    await untilReady(child, role === 'gateway' ? this.port : internal);
    return service;
  }

  /** Messages that were published through NATS so far, by all processes. */
  async messages(): Promise<number> {
    const answer = await fetch(`http://127.0.0.1:${this.monitorPort}/varz`);
    return ((await answer.json()) as { in_msgs: number }).in_msgs;
  }

  /** Seconds of processor time that services and NATS have used so far. */
  cpuSeconds(): number {
    const pids = [this.natsPid, ...[...this.children.values()].map(({ pid }) => pid)];
    return pids.reduce((sum, pid) => sum + cpuSeconds(pid), 0);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    // Callers before those they call.
    for (const child of [...this.children.keys()].toReversed()) await end(child);
    await this.nats.dispose();
    rmSync(this.directory, { recursive: true, force: true });
  }

  private configure(): void {
    const database = {
      path: join(this.directory, 'db.cblite2'),
      create: true,
      enable_client_writes: true,
      enable_client_sync: true,
    };
    const config = {
      databases: { db: database },
      interface: `127.0.0.1:${this.port}`,
      enable_anonymous_users: true,
      logging: { domains: { REST: 'warning' } },
    };
    writeFileSync(join(this.directory, 'config.json'), JSON.stringify(config));
    writeFileSync(join(this.directory, 'handshake'), randomBytes(36).toString('base64'), { mode: 0o600 });
  }
}

async function end(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return;
  const exited = new Promise((resolve) => child.once('exit', resolve));
  child.kill('SIGTERM');
  await exited;
}

async function untilReady(child: ChildProcess, port: number): Promise<void> {
  const deadline = Date.now() + START_MS;
  for (;;) {
    const reply = await fetch(`http://127.0.0.1:${port}/_ready`).catch(() => undefined);
    await reply?.text();
    if (reply?.ok) return;
    if (child.exitCode !== null || Date.now() > deadline) throw new Error('a service did not start');
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
}
