import { spawn, type ChildProcess } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { connect, createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { cpuSeconds, residentMb } from './usage.js';

/** The built all-in-one server in a process of its own, on a fresh database and a free port. */
export class ServerProcess implements AsyncDisposable {
  private constructor(
    private readonly child: ChildProcess,
    readonly port: number,
    private readonly directory: string,
  ) {}

  /**
   * @param settings further keys of the database's configuration
   * @param top further keys of the configuration
   * @param files that the configuration names, by name
   */
  static async start(
    settings: Record<string, unknown> = {},
    top: Record<string, unknown> = {},
    files: Record<string, string> = {},
  ): Promise<ServerProcess> {
    const directory = mkdtempSync(join(tmpdir(), 'edgesync-bench-'));
    const port = await freePort();
    const config = join(directory, 'config.json');
    const database = {
      path: join(directory, 'db.cblite2'),
      create: true,
      enable_client_writes: true,
      enable_client_sync: true,
      ...settings,
    };
    writeFileSync(
      config,
      JSON.stringify({
        databases: { db: database },
        interface: `127.0.0.1:${port}`,
        enable_anonymous_users: true,
        logging: { domains: { REST: 'warning' } },
        ...top,
      }),
    );
    for (const [name, content] of Object.entries(files)) writeFileSync(join(directory, name), content);
    const root = join(import.meta.dirname, '../../../..');
    const child = spawn(join(root, 'edgesync'), [config], {
      cwd: directory,
      stdio: ['ignore', 'ignore', 'inherit'],
    });
    const server = new ServerProcess(child, port, directory);
    await server.waitUntilServing();
    return server;
  }

  /** Resident memory in MB. */
  residentMb(): number {
    return residentMb(this.child.pid!);
  }

  /** Seconds of processor time used so far, over all threads. */
  cpuSeconds(): number {
    return cpuSeconds(this.child.pid!);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    const exited = new Promise((resolve) => this.child.once('exit', resolve));
    this.child.kill('SIGTERM');
    await exited;
    rmSync(this.directory, { recursive: true, force: true });
  }

  private async waitUntilServing(): Promise<void> {
    const deadline = Date.now() + 20_000;
    for (;;) {
      const answered = await listens(this.port);
      if (answered) return;
      if (Date.now() > deadline || this.child.exitCode !== null) throw new Error('the server did not start');
      await new Promise((resolve) => setTimeout(resolve, 50));
    }
  }
}

function listens(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const probe = connect(port, '127.0.0.1', () => resolve(true)).on('error', () => resolve(false));
    probe.once('connect', () => probe.end());
  });
}

function freePort(): Promise<number> {
  return new Promise((resolve, reject) => {
    const probe = createServer().on('error', reject);
    probe.listen(0, '127.0.0.1', () => {
      const { port } = probe.address() as { port: number };
      probe.close(() => resolve(port));
    });
  });
}
