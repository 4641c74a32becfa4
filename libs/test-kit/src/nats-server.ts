import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { createServer, connect as connectTo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { installedProgram } from './installed-program.js';

/** A real NATS server of a test's own, with JetStream, on loopback. */
export interface NatsServer {
  readonly port: number;
  readonly url: string;
  readonly pid: number;
  /** Whether it serves and has caught up with its cluster in everything that it keeps. */
  isHealthy(): Promise<boolean>;
  /** Ends the process: at once (SIGKILL) or in good order. */
  stop(how?: 'kill' | 'quit'): Promise<void>;
  /** Starts it again on the same port, with the same store unless that is to be lost. */
  restart(options?: { readonly loseStore?: boolean }): Promise<void>;
  /** Stops the process and lets it go on, as a debugger would. */
  pause(): void;
  resume(): void;
  /** Stops it and removes its files. */
  dispose(): Promise<void>;
}

export interface NatsServerOptions {
  /** Lines added to its configuration file. */
  readonly config?: string;
  /** Memory of JetStream, in bytes. */
  readonly maxMemory?: number;
  /** A free one if absent. */
  readonly port?: number;
  readonly environment?: Readonly<Record<string, string>>;
}

/**
 * Starts a server. Where `nats-server` is not on the PATH, Debian's package is installed if this process may do that.
 * @throws Error saying how to install it
 */
export async function startNatsServer(options: NatsServerOptions = {}): Promise<NatsServer> {
  const program = installedProgram(
    'nats-server',
    '"sudo apt-get install nats-server" or from https://nats.io/download',
  );
  const directory = mkdtempSync(join(tmpdir(), 'edgesync-nats-'));
  const [freeOne, monitorPort] = await freePorts(2);
  const port = options.port ?? freeOne!;
  const store = join(directory, 'store');
  const file = join(directory, 'nats.conf');
  writeFileSync(
    file,
    [
      `listen: "127.0.0.1:${port}"`,
      `http: "127.0.0.1:${monitorPort}"`,
      `jetstream { store_dir: "${store}"${options.maxMemory === undefined ? '' : `, max_memory_store: ${options.maxMemory}`} }`,
      options.config ?? '',
    ].join('\n'),
  );
  let child: ChildProcess;
  const start = async (): Promise<void> => {
    const env = { ...process.env, ...options.environment };
    child = spawn(program, ['-c', file], { env, stdio: ['ignore', 'ignore', 'pipe'] });
    let log = '';
    child.stderr!.on('data', (data: Buffer) => (log = (log + data.toString()).slice(-10_000)));
    await answers(port, child, () => log);
  };
  const stop = async (how: 'kill' | 'quit' = 'kill'): Promise<void> => {
    if (child.exitCode !== null || child.signalCode !== null) return;
    const exited = once(child, 'exit');
    child.kill(how === 'kill' ? 'SIGKILL' : 'SIGTERM');
    await exited;
  };
  await start();
  return {
    port,
    url: `nats://127.0.0.1:${port}`,
    get pid() {
      return child.pid!;
    },
    isHealthy: () =>
      fetch(`http://127.0.0.1:${monitorPort}/healthz`).then(
        ({ ok }) => ok,
        () => false,
      ),
    stop,
    restart: async ({ loseStore = false } = {}) => {
      await stop();
      if (loseStore) rmSync(store, { recursive: true, force: true });
      await start();
    },
    pause: () => void child.kill('SIGSTOP'),
    resume: () => void child.kill('SIGCONT'),
    dispose: async () => {
      await stop();
      rmSync(directory, { recursive: true, force: true });
    },
  };
}

/** Starts servers that form a cluster. Stop them with {@link NatsServer.dispose}. */
export async function startNatsCluster(size = 3): Promise<NatsServer[]> {
  const ports = await freePorts(size * 2);
  const routePorts = ports.slice(size);
  const routes = routePorts.map((port) => `"nats-route://127.0.0.1:${port}"`).join(', ');
  return Promise.all(
    routePorts.map((port, index) =>
      startNatsServer({
        port: ports[index]!,
        config: [
          `server_name: "n${index}"`,
          `cluster { name: "test", listen: "127.0.0.1:${port}", routes: [${routes}] }`,
        ].join('\n'),
      }),
    ),
  );
}

/** A port nobody listens on at the moment. */
export async function freePort(): Promise<number> {
  return (await freePorts(1))[0]!;
}

/** Different ports nobody listens on at the moment. */
async function freePorts(count: number): Promise<number[]> {
  const servers = Array.from({ length: count }, () => createServer().listen(0, '127.0.0.1'));
  await Promise.all(servers.map((server) => once(server, 'listening')));
  const ports = servers.map((server) => (server.address() as { port: number }).port);
  await Promise.all(servers.map((server) => once(server.close(), 'close')));
  return ports;
}

async function answers(port: number, child: ChildProcess, log: () => string): Promise<void> {
  for (;;) {
    if (child.exitCode !== null) throw new Error(`nats-server ended:\n${log()}`);
    const socket = connectTo(port, '127.0.0.1');
    try {
      await once(socket, 'data');
      return;
    } catch {
      await new Promise((resolve) => setTimeout(resolve, 20));
    } finally {
      socket.destroy();
    }
  }
}
