import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';

/** The output of the compiler, unless `EDGESYNC_MAIN` names a build. */
const MAIN = process.env['EDGESYNC_MAIN'] ?? join(import.meta.dirname, '../../../edge/dist/main.js');
/** Without the search path of the package manager's scripts, which makes up for undeclared dependencies. */
const ENVIRONMENT: NodeJS.ProcessEnv = { ...process.env, NODE_PATH: '' };
const STARTED = /^http:\/\/127\.0\.0\.1:(\d+)\/db /m;

/** The built server as a child process with one database `db` in a folder. */
export class ServerProcess {
  private constructor(
    private readonly child: ChildProcess,
    readonly port: number,
  ) {}

  /** @param port 0 for a free one */
  static async start(folder: string, port: number): Promise<ServerProcess> {
    const configFile = join(folder, 'config.json');
    const config = {
      interface: `127.0.0.1:${port}`,
      enable_anonymous_users: true,
      logging: { console: false },
      databases: {
        db: {
          path: join(folder, 'db.cblite2'),
          create: true,
          enable_client_writes: true,
          enable_client_sync: true,
        },
      },
    };
    writeFileSync(configFile, JSON.stringify(config));
    const child = spawn(process.execPath, [MAIN, configFile], {
      env: ENVIRONMENT,
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    let output = '';
    child.stdout.setEncoding('utf8').on('data', (text: string) => (output += text));
    for (;;) {
      const port = STARTED.exec(output)?.[1];
      if (port !== undefined) return new ServerProcess(child, Number(port));
      if (child.exitCode !== null) throw new Error(`the server ended with code ${child.exitCode}`);
      await Promise.race([once(child.stdout, 'data'), once(child, 'exit')]);
    }
  }

  /** Ends the process by a signal, unless it has ended. */
  async end(signal: NodeJS.Signals): Promise<void> {
    if (this.child.exitCode !== null || this.child.signalCode !== null) return;
    const exited = once(this.child, 'exit');
    this.child.kill(signal);
    await exited;
  }
}
